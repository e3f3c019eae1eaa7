import AgentSession
package import Configuration
import Cryptography
import DataSets
import Federation
import Glibc
import Kernels
import Learning
import Provenance
import TLSClient
import Wire

/// Looks for whatever keeps a device from taking part, and says what to do about each find.
package struct Doctor {
    package struct Finding: Sendable, Equatable {
        package let check: String
        package let passed: Bool
        /// What was found and, when it did not pass, what to do.
        package let detail: String

        package init(check: String, passed: Bool, detail: String) {
            self.check = check
            self.passed = passed
            self.detail = detail
        }

        /// One JSON object.
        package var json: String {
            object([
                ("check", jsonString(check)), ("ok", passed ? "true" : "false"),
                ("detail", jsonString(detail)),
            ])
        }
    }

    private static let secondsPerDay: Int64 = 86_400
    private static let connectSeconds = 10.0

    private let configuration: AgentConfiguration
    private let directory: StateDirectory
    private let clock = SystemClock()
    private let probe: DeviceProbe

    package init(_ configuration: AgentConfiguration, probe: DeviceProbe = DeviceProbe()) {
        self.configuration = configuration
        self.probe = probe
        directory = StateDirectory(path: configuration.stateDirectory)
    }

    /// Every check, in the order in which a device needs what they look at. It changes nothing.
    package func examine() -> [Finding] {
        var findings = [stateDirectory()]
        do throws(Fault) {
            let enrolment = try Enrolment(directory)
            findings += [
                Finding(
                    check: "enrolment", passed: true,
                    detail: "agent \(enrolment.agent) of fleet \(enrolment.trustSet.fleet)"),
                certificate(enrolment), log(), connection(enrolment),
            ]
            findings += models(enrolment)
        } catch { findings.append(failed("enrolment", error)) }
        findings += data() + participation() + [limits(), algebra(), processor()]
        return findings
    }

    private func failed(_ check: String, _ fault: Fault) -> Finding {
        Finding(check: check, passed: false, detail: fault.description)
    }

    private func stateDirectory() -> Finding {
        let check = "state directory"
        do throws(Fault) { try directory.check() } catch { return failed(check, error) }
        var status = stat()
        if stat(directory.keyFile, &status) == 0, status.st_mode & 0o077 != 0 {
            return Finding(
                check: check, passed: false,
                detail: "\(directory.keyFile) can be read by others; run chmod 600 on it")
        }
        return Finding(check: check, passed: true, detail: directory.path)
    }

    private func certificate(_ enrolment: Enrolment) -> Finding {
        let certificate = enrolment.certificate
        let now = Int64(clamping: clock.unixSeconds)
        let left = (certificate.notAfterUnix - now) / Doctor.secondsPerDay
        let end = dateText(certificate.notAfterUnix)
        let passed = now < certificate.notAfterUnix && now >= certificate.notBeforeUnix
        let detail =
            if passed {
                "\(age(certificate.issuedUnix, now)) old, renewed from"
                    + " \(dateText(Renewal.dueUnix(certificate))), valid until \(end), \(left) days"
            } else if now < certificate.notBeforeUnix {
                "not valid before \(dateText(certificate.notBeforeUnix)); set this machine's clock"
            } else {
                "expired on \(end); enroll with --force and a new token"
            }
        return Finding(check: "certificate", passed: passed, detail: detail)
    }

    private func age(_ since: Int64, _ now: Int64) -> String {
        let seconds = max(0, now - since)
        return seconds < Doctor.secondsPerDay
            ? "\(seconds / 3600) hours" : "\(seconds / Doctor.secondsPerDay) days"
    }

    private func log() -> Finding {
        let check = "log checkpoint"
        do throws(Fault) {
            guard let kept = try KeptCheckpoint.load(directory) else {
                return Finding(
                    check: check, passed: true,
                    detail: "none yet; the first model that is verified brings it")
            }
            return Finding(
                check: check, passed: true,
                detail: "\(kept.checkpoint.size) entries of \(kept.checkpoint.origin)")
        } catch { return failed(check, error) }
    }

    /// The models that are held, each verified again.
    private func models(_ enrolment: Enrolment) -> [Finding] {
        let models = ServingModels(directory: directory.modelDirectory)
        return configuration.data.compactMap { entry in
            guard models.version(of: entry.plan) != nil else { return nil }
            let check = "model of \(entry.plan)"
            do throws(Fault) {
                let logged = try HeldModel.verify(
                    models.directory(of: entry.plan), trust: enrolment.trustSet)
                return Finding(
                    check: check, passed: true,
                    detail: "version \(logged.version), number \(logged.position) in the log")
            } catch { return failed(check, error) }
        }
    }

    /// Connects and asks something harmless: only the answer shows whether the coordinator accepts this device.
    private func connection(_ enrolment: Enrolment) -> Finding {
        let check = "coordinator"
        do throws(Fault) {
            let stream = try TLSConnection.connect(
                host: enrolment.coordinator.host, port: enrolment.coordinator.port,
                trust: .authorities(enrolment.trustSet.authorities),
                identity: (enrolment.certificate, enrolment.key),
                timeoutSeconds: Doctor.connectSeconds)
            let version = stream.tlsVersion
            var connection = FramedConnection(stream)
            let question = TrustSetRequest(afterVersion: enrolment.trustSet.version)
            _ = try connection.exchange(
                .trustSetRequest(question), timeoutSeconds: Doctor.connectSeconds)
            return Finding(
                check: check, passed: true,
                detail: "\(enrolment.coordinator) answers over \(version)")
        } catch { return failed(check, error) }
    }

    private func data() -> [Finding] {
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
    private func participation() -> [Finding] {
        WorkConditions(configuration.participation, of: directory, probe: probe).examine().map {
            Finding(
                check: $0.subject, passed: $0.holds,
                detail: $0.holds ? $0.detail : $0.fault.description)
        }
    }

    private func limits() -> Finding {
        let limits = configuration.limits
        let memory = limits.memoryMiB.map { "\($0) MiB" } ?? "what it needs"
        return Finding(
            check: "limits", passed: true,
            detail: "training takes at most \(limits.cpuPercent) % of a processor at nice"
                + " \(limits.nice), and of memory \(memory)")
    }

    private func algebra() -> Finding {
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

    private func processor() -> Finding {
        Finding(
            check: "int8 kernels", passed: true,
            detail: "\(CPU.instructionSet), of \(CPU.features)")
    }
}

/// What to do where there is no OpenBLAS.
let openBlasRemedy = "install libopenblas0 (Debian's name), then restart the agent"
