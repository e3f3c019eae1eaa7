#include "onednn.h"

#ifdef HAS_ONEDNN
#include <dnnl.hpp>

#include <memory>
#include <unordered_map>

namespace {

using dnnl::memory;

struct Product {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::matmul::primitive_desc description;
    dnnl::matmul product;
    std::unordered_map<int, memory> arguments;

    static memory::desc matrix(memory::dim rows, memory::dim columns, memory::data_type type,
                               memory::format_tag layout) {
        return {{rows, columns}, type, layout};
    }

    Product(memory::dim rows, memory::dim channels, memory::dim width) {
        const auto bytes = memory::data_type::s8;
        const auto plain = memory::format_tag::ab;
        auto a = matrix(rows, width, bytes, plain);
        auto w = matrix(width, channels, bytes, memory::format_tag::any);
        auto out = matrix(rows, channels, memory::data_type::s32, plain);
#if DNNL_VERSION_MAJOR >= 3
        description = dnnl::matmul::primitive_desc(engine, a, w, out);
#else
        description = dnnl::matmul::primitive_desc(dnnl::matmul::desc(a, w, out), engine);
#endif
        product = dnnl::matmul(description);
        arguments = {{DNNL_ARG_SRC, filled(a)},
                     {DNNL_ARG_WEIGHTS, memory(description.weights_desc(), engine)},
                     {DNNL_ARG_DST, memory(out, engine)}};
        auto given = filled(matrix(width, channels, bytes, plain));
        dnnl::reorder(given, arguments.at(DNNL_ARG_WEIGHTS))
            .execute(stream, given, arguments.at(DNNL_ARG_WEIGHTS));
        stream.wait();
    }

    memory filled(const memory::desc &description) {
        memory result(description, engine);
        auto *bytes = static_cast<int8_t *>(result.get_data_handle());
        for (size_t i = 0; i < description.get_size(); i++)
            bytes[i] = static_cast<int8_t>(static_cast<int>(i * 37 % 251) - 125);
        return result;
    }

    void run() {
        product.execute(stream, arguments);
        stream.wait();
    }
};

std::unique_ptr<Product> prepared;

}  // namespace

bool onednn_prepare(size_t rows, size_t channels, size_t width) {
    prepared = std::make_unique<Product>(static_cast<memory::dim>(rows),
                                         static_cast<memory::dim>(channels),
                                         static_cast<memory::dim>(width));
    return true;
}

void onednn_run(void) { prepared->run(); }

#else

bool onednn_prepare(size_t, size_t, size_t) { return false; }
void onednn_run(void) {}

#endif
