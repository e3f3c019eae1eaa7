import Federation
import Wire

/// The person who has rounds run, over the same network as the devices.
final class Administrator {
    /// A request that is repeated until it is answered.
    private struct Wish {
        let request: AdminRequest
        let what: String
    }

    private let member: Template.Member
    private let world: World
    private let network: Network
    private var wishes: [Wish] = []
    private var isAsking = false

    init(_ member: Template.Member, world: World, network: Network) {
        self.member = member
        self.world = world
        self.network = network
    }

    /// Whether everything was asked and answered.
    var isDone: Bool { wishes.isEmpty && !isAsking }

    /// Has `request` sent until the coordinator answers it.
    func wish(_ request: AdminRequest, _ what: String) {
        wishes.append(Wish(request: request, what: what))
        ask()
    }

    private func ask() {
        guard !isAsking, let wish = wishes.first else { return }
        isAsking = true
        network.connect(member.name, showing: member.certificate) { [self] connection in
            guard let connection else { return tryAgain() }
            var isOver = false
            func end(_ body: () -> Void) {
                guard !isOver else { return }
                isOver = true
                connection.toDevice = nil
                connection.close(by: .device)
                body()
            }
            connection.toDevice = { [self] message in
                switch message {
                case .success(.failure(let failure))
                where failure.code == Fault.Code.unavailable.rawValue
                    || failure.code == Fault.Code.storage.rawValue
                    || failure.code == Fault.Code.internal.rawValue:
                    end(tryAgain)
                case .success(let answer): end { heard(answer, to: wish) }
                case .failure, nil: end(tryAgain)
                }
            }
            connection.send(.adminRequest(wish.request), from: .device)
            world.after(30) { end(self.tryAgain) }
        }
    }

    private func heard(_ answer: Message, to wish: Wish) {
        if case .failure(let failure) = answer {
            world.note("the admin is refused: \(wish.what): \(failure.message)")
        } else {
            world.note("the admin has it: \(wish.what)")
        }
        wishes.removeFirst()
        isAsking = false
        ask()
    }

    private func tryAgain() {
        world.after(2) { [self] in
            isAsking = false
            ask()
        }
    }
}
