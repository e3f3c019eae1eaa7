import Configuration
import Cryptography
import Federation
import Provenance
import TLSClient
import Wire

// Whom the device believes, and whether the coordinator believes the device.

extension Doctor {
    private static let secondsPerDay: Int64 = 86_400
    private static let connectSeconds = 10.0

    func certificate(_ enrolment: Enrolment) -> Finding {
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
                "not valid before \(dateText(certificate.notBeforeUnix)), and this machine's clock"
                    + " says \(dateText(now)); set the clock"
            } else {
                "expired on \(end); this machine's clock says \(dateText(now)); if it is right,"
                    + " enroll with --force and a new token"
            }
        return Finding(check: "certificate", passed: passed, detail: detail)
    }

    private func age(_ since: Int64, _ now: Int64) -> String {
        let seconds = max(0, now - since)
        return seconds < Doctor.secondsPerDay
            ? "\(seconds / 3600) hours" : "\(seconds / Doctor.secondsPerDay) days"
    }

    func log() -> Finding {
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
    func models(_ enrolment: Enrolment) -> [Finding] {
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
    func connection(_ enrolment: Enrolment) -> [Finding] {
        let question = TrustSetRequest(afterVersion: enrolment.trustSet.version)
        let examination = ConnectionExamination(
            of: enrolment.coordinator, trust: .authorities(enrolment.trustSet.authorities),
            identity: (enrolment.certificate, enrolment.key),
            timeoutSeconds: Doctor.connectSeconds, last: "coordinator"
        ) { stream throws(Fault) in
            var connection = FramedConnection(stream)
            _ = try connection.exchange(
                .trustSetRequest(question), timeoutSeconds: Doctor.connectSeconds)
            return "\(enrolment.coordinator) accepts this device"
        }
        return examination.findings.map {
            Finding(check: $0.check, passed: $0.passed, detail: $0.detail)
        }
    }
}
