import Federation
import Wire

// A device that its owner takes out of the fleet, as `tributary-agent leave` does: beside the daemon, over a connection of
// its own.

extension Device {
    /// Asks the coordinator until it has revoked the certificate, and erases everything then.
    func leave() {
        world.note("\(name) is to leave")
        isLeaving = true
        askToLeave()
    }

    private func askToLeave() {
        ask(.leaveRequest(LeaveRequest())) { [self] answer in
            switch answer {
            case .leaveAck: leaveForGood()
            // It heard of that the last time, and its answer did not arrive.
            case .failure(let failure) where failure.code == Fault.Code.forbidden.rawValue:
                leaveForGood()
            default: world.after(world.draw(from: 0.5, to: 5)) { [self] in askToLeave() }
            }
        }
    }

    private func leaveForGood() {
        world.note("\(name) has left")
        auditor.left(name)
        end()
        disk = DeviceDisk()
        knock()
    }

    /// Somebody has a copy of its key: it is good for nothing any more. The auditor looks at the answers.
    private func knock() {
        world.after(world.draw(from: 1, to: 40)) { [self] in
            let plans = plans.map { PlanReadiness(plan: $0.name, examples: member.examples) }
            ask(.checkInRequest(CheckInRequest(agentVersion: "a copy", plans: plans))) {
                [self] _ in knock()
            }
        }
    }

    /// Sends `question` over a connection of its own; `heard` gets the answer, or nil when none came.
    private func ask(_ question: Message, heard: @escaping (Message?) -> Void) {
        network.connect(name, showing: member.certificate) { [world] connection in
            guard let connection else { return heard(nil) }
            var isOver = false
            func end(_ answer: Message?) {
                guard !isOver else { return }
                isOver = true
                connection.toDevice = nil
                connection.close(by: .device)
                heard(answer)
            }
            connection.toDevice = { end(try? $0?.get()) }
            connection.send(question, from: .device)
            world.after(30) { end(nil) }
        }
    }
}
