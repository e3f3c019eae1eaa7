import Dispatch
import Glibc
import Simulation
import Synchronization

/// The threads of an offline command.
enum Threads {
    /// Processors that are online.
    static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Runs bodies on `threads` threads, each of which takes the next index when it is done with
    /// one.
    static func parallelFor(_ threads: Int) -> ParallelFor {
        { count, body in
            guard threads > 1, count > 1 else {
                for index in 0..<count { body(index) }
                return
            }
            let next = Atomic(0)
            DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
                while true {
                    let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard index < count else { return }
                    body(index)
                }
            }
        }
    }
}
