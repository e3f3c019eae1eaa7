import Cryptography
import Federation

/// What browsers are sent besides pages.
struct Asset: Sendable {
    let type: String
    let bytes: [UInt8]

    static let style = Asset(
        type: "text/css; charset=utf-8", bytes: PackageResources.style_css)
    static let script = Asset(
        type: "text/javascript; charset=utf-8", bytes: PackageResources.script_js)
    static let icon = Asset(type: "image/svg+xml", bytes: PackageResources.favicon_svg)

    /// Changes with the assets, so that a browser keeps none of an older version.
    static let version = String(
        SHA256.digest(of: style.bytes + script.bytes).hex.prefix(12))
}
