import Federation
import Glibc
import Kernels

/// Does one piece of work that agents or the coordinator do often, on data that a seed decides, so that its instructions
/// can be counted: `.ci/guard`.
///
/// usage: HotPaths NAME; without a name it prints them all, with the instruction set that the kernels use.
@main
enum HotPaths: String, CaseIterable {
    case trainEpoch = "train_epoch"
    case encodeUpdate = "encode_update"
    case admitAndFold = "admit_and_fold"
    case discreteGaussian = "discrete_gaussian"
    case frames
    case openModel = "open_model"

    static func main() throws {
        guard let name = CommandLine.arguments.dropFirst().first else {
            print(CPU.instructionSet)
            for path in allCases { print(path.rawValue) }
            return
        }
        guard let path = Self(rawValue: name) else {
            print("there is no path '\(name)'")
            exit(2)
        }
        try path.run()
    }

    private func run() throws {
        switch self {
        case .trainEpoch: try TrainingPath.run()
        case .encodeUpdate: try CodecPath.encode()
        case .admitAndFold: try CodecPath.fold()
        case .discreteGaussian: try CodecPath.noise()
        case .frames: try FramePath.run()
        case .openModel: try ModelPath.run()
        }
    }
}

/// Runs `work`. Instructions are counted from the call of this function to its return, by its name: it is neither inlined
/// nor specialised.
@inline(never) @_optimize(none)
func countedWork(_ work: () throws -> Void) rethrows { try work() }

/// An answer that a hot path did not give before.
struct WrongAnswer: Error {
    let what: String
}

/// Ends the program when the work was not what is to be counted.
func expect(_ isRight: Bool, _ what: String) throws {
    guard isRight else { throw WrongAnswer(what: what) }
}
