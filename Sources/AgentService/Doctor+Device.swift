import AgentSession
import Configuration
import Cryptography
import DataSets
import Federation
import Glibc
import Kernels
import Learning

// What the device holds and is able to do.

extension Doctor {
    func data() -> [Finding] {
        if configuration.data.isEmpty {
            return [
                Finding(
                    check: "data", passed: false,
                    detail: "no plan has data; add a [data.NAME] table to the configuration")
            ]
        }
        let texts = PlanTexts(directory: directory.planDirectory)
        return configuration.data.flatMap { entry in
            var plan = FollowedPlan(
                id: entry.plan, directory: entry.directory,
                localNoiseFloor: configuration.localNoiseFloor,
                memoryLimitMiB: configuration.limits.memoryMiB)
            let check = "data of \(entry.plan)"
            if let unknown = texts.unknown(entry.plan) { return [failed(check, unknown.fault)] }
            do throws(Fault) {
                guard let text = try texts.read(entry.plan) else {
                    return [unreadPlan(check, directory: entry.directory)]
                }
                try plan.adopt(text, digest: SHA256.digest(of: text))
            } catch { return [failed(check, error)] }
            if let fault = plan.refusal {
                let what = fault.code == .exhausted ? "memory" : "noise"
                return [failed("\(what) of \(entry.plan)", fault)]
            }
            if let fault = plan.dataFault { return [failed(check, fault)] }
            return [rows(check, plan)] + memory(plan)
        }
    }

    /// What a training session of the plan allocates beyond the program itself: known before it starts.
    private func memory(_ plan: FollowedPlan) -> [Finding] {
        guard let text = plan.known?.plan,
            let needed = LocalTraining.plannedMiB(text, examples: plan.examples)
        else { return [] }
        return [
            Finding(
                check: "memory of \(plan.id)", passed: true,
                detail: "training allocates \(needed) MiB at most")
        ]
    }

    private func rows(_ check: String, _ plan: FollowedPlan) -> Finding {
        let unreadable = plan.data?.unreadable ?? 0
        let classes = plan.classCounts.map { "; of each class \($0)" } ?? ""
        guard let first = plan.data?.firstUnreadable, unreadable > 0 else {
            return Finding(
                check: check, passed: true,
                detail: "\(plan.examples) rows in \(plan.directory)\(classes)")
        }
        return Finding(
            check: check, passed: false,
            detail:
                "\(plan.examples) rows in \(plan.directory)\(classes); \(unreadable) left out, first"
                + " \(first); correct or remove these rows")
    }

    /// Without the plan's text only the directory can be looked at.
    private func unreadPlan(_ check: String, directory: String) -> Finding {
        guard access(directory, R_OK | X_OK) == 0 else {
            return Finding(
                check: check, passed: false,
                detail: "\(directory): \(String(cString: strerror(errno))); create it and put the"
                    + " plan's data files there, or correct the configuration")
        }
        return Finding(
            check: check, passed: true,
            detail: "\(directory) is readable; its files are checked once the coordinator has sent"
                + " the plan")
    }

    /// Each of the owner's rules as it stands now.
    func participation() -> [Finding] {
        WorkConditions(configuration.participation, of: directory, probe: probe).examine().map {
            Finding(
                check: $0.subject, passed: $0.holds,
                detail: $0.holds ? $0.detail : $0.fault.description)
        }
    }

    func limits() -> Finding {
        let limits = configuration.limits
        let memory = limits.memoryMiB.map { "\($0) MiB" } ?? "what it needs"
        return Finding(
            check: "limits", passed: true,
            detail: "training takes at most \(limits.cpuPercent) % of a processor at nice"
                + " \(limits.nice), and of memory \(memory)")
    }

    func algebra() -> Finding {
        let (passed, core) = Blas.selfTest()
        if passed, Blas.isMissing {
            return Finding(
                check: "OpenBLAS", passed: true,
                detail: "not there: models with convolutions train many times slower;"
                    + " \(openBlasRemedy)")
        }
        return Finding(
            check: "OpenBLAS", passed: passed,
            detail: passed
                ? "right results with the kernels for \(core)"
                : "wrong results with the kernels for \(core); set OPENBLAS_CORETYPE=Haswell for"
                    + " the agent, or update libopenblas")
    }

    func processor() -> Finding {
        Finding(
            check: "int8 kernels", passed: true,
            detail: "\(CPU.instructionSet), of \(CPU.features)")
    }
}

/// What to do where there is no OpenBLAS.
let openBlasRemedy = "install libopenblas0 (Debian's name), then restart the agent"
