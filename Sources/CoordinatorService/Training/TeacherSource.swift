import Federation
import Foundation
import Learning
import ModelFormats

/// Where the teacher of a plan's first student comes from.
package enum TeacherSource: Sendable, Equatable {
    /// The plan's `[teacher]`, trained on the coordinator's public data.
    case plan
    /// The plan's `[teacher]`, trained elsewhere: a safetensors file, see `TeacherFile`. It is fed what the plan's
    /// normalisation makes of raw features.
    case safetensors(path: String)

    /// The teacher, trained or read; nil for a plan whose students name no classes and have none.
    ///
    /// - Throws: `Fault` when the data or the file cannot be read, does not fit the plan, or is no longer wanted
    ///   (`gone`).
    func teacher(
        plan: Plan, on publicData: inout some ExampleSource, random: inout SeededRandom,
        progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> Teacher? {
        if plan.training.objective != .classification {
            guard self == .plan else {
                throw Fault(
                    .invalid, "only a student that names classes has a teacher",
                    remedy: "leave the teacher out")
            }
            return nil
        }
        switch self {
        case .plan:
            return try Teacher.trained(
                plan: plan, on: &publicData, random: &random, progress: progress)
        case .safetensors(let path):
            return try importedTeacher(path: path, plan: plan)
        }
    }
}

private func importedTeacher(path: String, plan: Plan) throws(Fault) -> Teacher {
    let bytes: [UInt8]
    do {
        bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    } catch {
        throw Fault(
            .storage, "cannot read the teacher \(path): \(error.localizedDescription)",
            remedy: "name a safetensors file, or `plan` to train the plan's own teacher")
    }
    do {
        return try TeacherFile.decode(bytes, plan: plan)
    } catch {
        throw Fault(error.code, "\(path): \(error.message)", remedy: error.remedy)
    }
}
