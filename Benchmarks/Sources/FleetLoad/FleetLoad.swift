import Federation
import Foundation

/// Loads a coordinator as a large fleet would, over its real protocol, and measures what that takes.
///
/// usage: FleetLoad COORDINATOR DIRECTORY idle|models|restart|ingest [NUMBER [RESULTS]]
///
/// COORDINATOR is the program; DIRECTORY is kept between runs, so that devices enrol once. `idle` connects NUMBER devices
/// (10000) and runs a round of 500 among them; `models` moves 100 models of NUMBER (40) million int8 parameters down and
/// up; `restart` kills a coordinator of NUMBER (1000) devices and waits for all of them to be back;
/// `ingest` has NUMBER (2000) devices submit updates of 100,000 parameters at once, and writes how fast they were taken in to
/// the file RESULTS.
@main
struct FleetLoad {
    static func main() async {
        let words = CommandLine.arguments
        guard (4...6).contains(words.count), words.count == 4 || Int(words[4]) != nil else {
            say(
                "usage: FleetLoad COORDINATOR DIRECTORY idle|models|restart|ingest [NUMBER [RESULTS]]"
            )
            exit(2)
        }
        let number = words.count > 4 ? Int(words[4]) : nil
        let load = Load(
            coordinator: CoordinatorProcess(
                program: words[1], directory: URL(filePath: words[2])))
        do {
            let passed =
                switch words[3] {
                case "idle": try await load.idle(devices: number ?? 10_000)
                case "models": try await load.models(megabytes: number ?? 40)
                case "restart": try await load.restart(devices: number ?? 1_000)
                case "ingest":
                    try await load.ingest(
                        devices: number ?? 2_000, results: words.count == 6 ? words[5] : nil)
                default: throw Fault(.invalid, "there is no load '\(words[3])'")
                }
            load.coordinator.stop()
            exit(passed ? 0 : 1)
        } catch {
            load.coordinator.stop()
            say("failed: \(error)")
            exit(2)
        }
    }
}
