import CMessages
import CProtobufC

extension OnnxFile {
    /// The file's bytes; equal values have equal bytes.
    func packed() -> [UInt8] {
        let arena = MessageArena()
        return withExtendedLifetime(arena) {
            let message = arena.model(self)
            let size = tributary__onnx__model__get_packed_size(message)
            return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = tributary__onnx__model__pack(message, buffer.baseAddress)
            }
        }
    }
}

extension MessageArena {
    fileprivate func model(_ file: OnnxFile) -> UnsafeMutablePointer<Tributary__Onnx__Model> {
        message(tributary__onnx__model__init) { message in
            message.ir_version = file.irVersion
            message.producer_name = text(file.producer)
            message.graph = graph(file)
            message.n_opset_import = file.operatorSets.count
            message.opset_import = list(file.operatorSets, operatorSet)
            message.n_metadata_props = file.properties.count
            message.metadata_props = list(file.properties, property)
        }
    }

    private func operatorSet(
        _ set: OnnxFile.OperatorSet
    ) -> UnsafeMutablePointer<Tributary__Onnx__OperatorSet> {
        message(tributary__onnx__operator_set__init) { message in
            message.domain = text(set.domain)
            message.version = set.version
        }
    }

    private func property(
        _ property: OnnxFile.Property
    ) -> UnsafeMutablePointer<Tributary__Onnx__Property> {
        message(tributary__onnx__property__init) { message in
            message.key = text(property.key)
            message.value = text(property.value)
        }
    }

    private func graph(_ file: OnnxFile) -> UnsafeMutablePointer<Tributary__Onnx__Graph> {
        message(tributary__onnx__graph__init) { message in
            message.n_node = file.nodes.count
            message.node = list(file.nodes, node)
            message.name = text(file.graphName)
            message.n_initializer = file.tensors.count
            message.initializer = list(file.tensors, tensor)
            message.n_input = file.inputs.count
            message.input = list(file.inputs, port)
            message.n_output = file.outputs.count
            message.output = list(file.outputs, port)
        }
    }

    private func node(_ node: OnnxFile.Node) -> UnsafeMutablePointer<Tributary__Onnx__Node> {
        message(tributary__onnx__node__init) { message in
            message.n_input = node.inputs.count
            message.input = list(node.inputs, text)
            message.n_output = node.outputs.count
            message.output = list(node.outputs, text)
            message.name = text(node.name)
            message.op_type = text(node.operation)
            message.n_attribute = node.attributes.count
            message.attribute = list(node.attributes, attribute)
        }
    }

    private func attribute(
        _ attribute: OnnxFile.Attribute
    ) -> UnsafeMutablePointer<Tributary__Onnx__Attribute> {
        message(tributary__onnx__attribute__init) { message in
            message.name = text(attribute.name)
            switch attribute.value {
            case .integer(let integer):
                message.type = OnnxFile.Attribute.integerType
                message.i = integer
            case .integers(let integers):
                message.type = OnnxFile.Attribute.integersType
                message.n_ints = integers.count
                message.ints = array(integers)
            }
        }
    }

    private func tensor(
        _ tensor: OnnxFile.Tensor
    ) -> UnsafeMutablePointer<Tributary__Onnx__Tensor> {
        message(tributary__onnx__tensor__init) { message in
            message.n_dims = tensor.dimensions.count
            message.dims = array(tensor.dimensions)
            message.data_type = tensor.type.code
            message.name = text(tensor.name)
            message.raw_data = bytes(tensor.data)
        }
    }

    private func port(_ port: OnnxFile.Port) -> UnsafeMutablePointer<Tributary__Onnx__ValueInfo> {
        message(tributary__onnx__value_info__init) { message in
            message.name = text(port.name)
            message.type = self.message(tributary__onnx__type__init) { type in
                type.tensor_type = tensorType(port)
            }
        }
    }

    private func tensorType(
        _ port: OnnxFile.Port
    ) -> UnsafeMutablePointer<Tributary__Onnx__TensorType> {
        message(tributary__onnx__tensor_type__init) { message in
            message.elem_type = port.type.code
            message.shape = self.message(tributary__onnx__shape__init) { shape in
                shape.n_dim = port.dimensions.count
                shape.dim = list(port.dimensions, dimension)
            }
        }
    }

    private func dimension(
        _ dimension: OnnxFile.Port.Dimension
    ) -> UnsafeMutablePointer<Tributary__Onnx__Dimension> {
        message(tributary__onnx__dimension__init) { message in
            switch dimension {
            case .fixed(let count): message.dim_value = count
            case .named(let name): message.dim_param = text(name)
            }
        }
    }
}
