import Foundation

// What the programs print with --json, as far as these tests read it.

struct PlanAnswer: Decodable {
    let plan: String
    let state: String
    let modelVersion: UInt64?
    let accuracyLast: Double?
    let clippingNorm: Double?
    let localEpsilon: Double?
}

struct PlansAnswer: Decodable { let plans: [PlanAnswer] }

struct TokenAnswer: Decodable { let token: String }

struct AgentAnswer: Decodable {
    struct Plan: Decodable {
        let plan: String
        let examples: Int
        let unreadable: Int
    }

    let agent: String
    let state: String
    let version: String
    let plans: [Plan]
}

struct AgentsAnswer: Decodable { let agents: [AgentAnswer] }

struct RoundAnswer: Decodable {
    let round: UInt64
    let phase: String
    let reason: String
    /// Nil of a private plan, except to its curator who watches.
    let selected: Int?
    let reported: Int?
    let clippingNorm: Double?
    let modelVersion: UInt64
    let published: Bool
}

struct RoundsAnswer: Decodable { let rounds: [RoundAnswer] }

struct JobAnswer: Decodable {
    let job: UInt64
    let state: String
    let roundsDone: Int
    let rounds: [RoundAnswer]
}

/// Where `model export` wrote a version.
struct ExportAnswer: Decodable {
    let modelDir: String
    let signature: String
    let publicKey: String
    let proof: String
    let trust: String
    let log: String
    let version: UInt64
    let accuracy: Double
}

/// What every coordinator command prints with --json when it fails.
struct ErrorAnswer: Decodable {
    struct Content: Decodable {
        let code: String
        let message: String
        let remedy: String
    }

    let error: Content
}

/// `doctor --json` of the coordinator.
struct DoctorAnswer: Decodable {
    struct Check: Decodable {
        let check: String
        let ok: Bool
        let detail: String
    }

    let ok: Bool
    let tlsVersion: String?
    let checks: [Check]
    let dashboard: String?
}

/// `tributary-agent status --json`.
struct StatusAnswer: Decodable {
    struct Status: Decodable {
        struct Plan: Decodable {
            let plan: String
            let modelVersion: UInt64?
            let examples: Int
            let unreadable: Int
            let problem: String?
            let heldOut: HeldOut?
        }

        struct HeldOut: Decodable {
            let modelVersion: UInt64
            let examples: Int
            let accuracy: Double
        }

        struct Trouble: Decodable { let message: String }

        let state: String
        let plans: [Plan]
        let lastError: Trouble?
    }

    let running: Bool
    let status: Status
}

/// A line of `tributary-agent predict --json`.
struct PredictionAnswer: Decodable {
    let label: Int
    let outputs: [Float]
}

/// What hostile.py saw.
struct HostileAnswer: Decodable {
    let answer: String
    let closed: Bool
}

/// Reads one JSON document.
func decoded<Answer: Decodable>(_ text: String) throws -> Answer {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do { return try decoder.decode(Answer.self, from: Data(text.utf8)) } catch {
        throw Unexpected("no \(Answer.self) in this: \(text)\n\(error)")
    }
}
