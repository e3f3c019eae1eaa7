import Federation
import Foundation

/// The members of a JSON object.
///
/// - Throws: when `bytes` are not one.
package func members(_ bytes: [UInt8]) throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
        throw Fault(.invalid, "not a JSON object")
    }
    return object
}
