import AdminConsole
import ArgumentParser
import Configuration
import CoordinatorService
import Cryptography
import Federation
import Glibc
import Kernels
import Learning

/// `distill`: a plan's first model, offline.
struct DistillCommand: AnsweringCommand {
    static let configuration = CommandConfiguration(
        commandName: "distill",
        abstract: "Distil a plan's first model and measure it, without a coordinator.",
        discussion: """
            The data directory holds, in the plan's form, public/ to learn from and test/ to \
            measure on. A teacher from elsewhere is a safetensors file of F32, F16, BF16 or I8 with \
            NAME.weight and NAME.bias of each layer that has weights, batch normalisation folded \
            into them. The layers are those that the plan's [teacher] lists, under their names \
            there: a convolution's weights are [outputs, inputs / groups, height, width]. Where it \
            gives hidden units alone they are dense with ReLU between them, as many and as wide as \
            the file has: layer0.weight [outputs, inputs], layer0.bias [outputs], layer1.weight ...

            \(examples(
                "distill plan.toml --data .data/fashion-mnist",
                "distill plan.toml --data DATA --teacher teacher.safetensors --output student.onnx"))
            """)

    @Argument(help: "The plan, a TOML file.")
    var file: String

    @Option(name: .customLong("data"), help: "The directory with public/ and test/.")
    var dataDirectory: String

    @Option(help: "A safetensors file, or plan: the plan's teacher trained on public/.")
    var teacher = "plan"

    @Option(help: "The ONNX file to write; it must not exist yet.")
    var output: String?

    @Option(help: "Everything random follows from this number.")
    var seed: UInt64 = 1

    @Flag(name: .customLong("json"), help: "Print one JSON document.")
    var wantsJSON = false

    func execute() async throws {
        if let output, access(output, F_OK) == 0 {
            throw Fault(
                .conflict, "\(output) exists already",
                remedy: "move it away first if it really is to be replaced")
        }
        // Sums must not depend on how many threads the library would use.
        Blas.useOneThread()
        let plan = try PlanFile.parse(try CredentialFile.read(file), file: file)
        let testDirectory = "\(dataDirectory)/test"
        let progress = LiveProgress()
        defer { progress.end() }
        let first = try FirstModel.pair(
            plan: plan, teacher: teacher == "plan" ? .plan : .safetensors(path: teacher),
            publicDirectory: "\(dataDirectory)/public", testDirectory: testDirectory, seed: seed
        ) { stage, done in
            progress.show(stage.rawValue, done)
            return true
        }
        progress.end()
        let int8 = try first.int8.accuracy(
            plan: plan, testDirectory: testDirectory, arithmetic: .int8)
        let float32 = try first.float32.accuracy(
            plan: plan, testDirectory: testDirectory, arithmetic: .float32)
        if let output {
            try CredentialFile.create(
                output, try first.int8.onnx(plan: plan), mode: CredentialFile.publicMode)
        }
        let measure = plan.measureName
        let teacherLine =
            first.int8.teacherAccuracy.map { "teacher           \(measure) \(written($0))\n" } ?? ""
        show(
            .object([
                ("plan", .string(plan.id.name)),
                ("accuracy_teacher", decimal(first.int8.teacherAccuracy)),
                ("accuracy_student_fp32", .decimal(float32)),
                ("accuracy_student_int8", .decimal(int8)),
                ("output", output.map { .string($0) } ?? .null),
            ]),
            teacherLine + """
                student in fp32   \(measure) \(written(float32))
                student in int8   \(measure) \(written(int8))

                """ + (output.map { "written to \($0)\n" } ?? ""))
    }
}
