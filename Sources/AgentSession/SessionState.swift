import Federation

/// Where the agent stands: one payload a state, so that nothing can be read in a state that has it not.
enum SessionState: ~Copyable {
    /// `then` comes before the next check-in if the connection is kept.
    case waiting(connected: Bool, then: [SessionTask])
    case connecting
    case checkingIn
    case obtaining(Obtaining)
    case performing(Performing)
    case training(Training)
    case encoding(Encoding)
    case submitting(Submitting)
    case declining(Agenda)

    /// Blobs are fetched before the task that needs them.
    struct Obtaining {
        var task: SessionTask
        /// What comes after the blob that is being fetched.
        var rest: [BlobReference]
        var agenda: Agenda
    }

    struct Performing {
        var task: SessionTask
        var agenda: Agenda
    }

    struct Training {
        var grant: Grant
        var agenda: Agenda
        /// When the next heartbeat is due, or the next attempt to reconnect while the connection is lost.
        var dueAt: MonotonicInstant
        /// Why there is no connection; nil while there is one.
        var lost: Fault?
    }

    struct Encoding {
        var grant: Grant
        var agenda: Agenda
        var lost: Fault?
    }

    struct Submitting {
        enum Step: Equatable {
            case probing, heading, finishing
            case sending(offset: UInt64, count: Int)
        }

        var update: PendingUpdate
        var step: Step
        /// How often the coordinator has asked for bytes again after the end.
        var repeats = 0
        var agenda: Agenda
    }
}

/// A piece of work that follows from a check-in or a reconnection.
enum SessionTask: Equatable {
    case submit(PendingUpdate)
    case readdress(PendingUpdate)
    case discard(PendingUpdate)
    case updateTrustSet(version: UInt64)
    case renewCertificate
    case reportRefusal(ModelReference, reason: String)
    case adoptPlan(PlanStanding)
    case adoptModel(ModelReference)
    case work(Grant)
    /// Give up a place that was held when this device's agent was killed.
    case forsake(RoundAssignment, reason: String)

    /// Whether its success comes with something to tell, and so not as `done`.
    var hasOwnEvent: Bool {
        switch self {
        case .updateTrustSet, .adoptPlan: true
        case .submit, .readdress, .discard, .renewCertificate, .reportRefusal, .adoptModel, .work,
            .forsake:
            false
        }
    }

    /// The model that it uses.
    var model: ModelReference? {
        switch self {
        case .adoptModel(let model): model
        case .work(let grant): grant.assignment.base
        case .submit, .readdress, .discard, .updateTrustSet, .renewCertificate, .reportRefusal,
            .adoptPlan, .forsake:
            nil
        }
    }

    /// The blobs to have before the task's own action, in the order to fetch them.
    var blobs: [BlobReference] {
        switch self {
        case .submit, .readdress, .discard, .updateTrustSet, .renewCertificate, .reportRefusal,
            .forsake:
            []
        case .adoptPlan(let standing): [standing.text]
        case .adoptModel(let model): [model.model, model.signature]
        case .work(let grant):
            [
                grant.assignment.planText, grant.assignment.base.model,
                grant.assignment.base.signature,
            ]
        }
    }
}

/// An assignment with the time it was given: lease and deadline run from then.
struct Grant: Equatable {
    var assignment: RoundAssignment
    var at: MonotonicInstant

    var deadline: MonotonicInstant { at.advanced(bySeconds: assignment.reportSeconds) }
}

/// What is left to do before the next check-in.
struct Agenda {
    enum Then: Equatable {
        case checkIn
        case pause(until: MonotonicInstant)
    }

    var tasks: [SessionTask]
    var then: Then
}

/// The state that follows an event, with the action it asks for.
struct Transition: ~Copyable {
    let state: SessionState
    let action: AgentAction

    init(_ state: consuming SessionState, _ action: AgentAction) {
        self.state = state
        self.action = action
    }
}
