package import Federation
import Glibc
import NIOCore

/// Why an address cannot be listened on.
package func listenFault(_ error: any Error, host: String, port: Int, remedy: String) -> Fault {
    let why = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    return Fault(.unavailable, "cannot listen on \(host):\(port): \(why)", remedy: remedy)
}
