import CJansson
package import Federation
import Glibc

/// A JSON document as a value, read and written by Jansson. There are no fractions in the documents
/// here.
package enum CanonicalJSON: Sendable, Equatable {
    case object([String: CanonicalJSON])
    case array([CanonicalJSON])
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    case null

    /// Deeper nesting is refused: the documents here have at most six levels.
    private static let deepest = 16

    /// Parses a document; nil when it is not JSON, names a member twice, holds a fraction or nests
    /// too deeply.
    package init?(parsing bytes: [UInt8]) {
        var error = json_error_t()
        let parsed = bytes.withUnsafeBytes { buffer in
            json_loadb(buffer.baseAddress, buffer.count, Int(JSON_REJECT_DUPLICATES), &error)
        }
        guard let parsed else { return nil }
        defer { json_decref(parsed) }
        self.init(parsed, depth: 0)
    }

    private init?(_ json: UnsafeMutablePointer<json_t>, depth: Int) {
        guard depth < CanonicalJSON.deepest else { return nil }
        switch json.pointee.type {
        case JSON_OBJECT:
            guard let members = CanonicalJSON.members(of: json, depth: depth) else { return nil }
            self = .object(members)
        case JSON_ARRAY:
            var values: [CanonicalJSON] = []
            for index in 0..<json_array_size(json) {
                guard let element = json_array_get(json, index),
                    let value = CanonicalJSON(element, depth: depth + 1)
                else { return nil }
                values.append(value)
            }
            self = .array(values)
        case JSON_STRING: self = .text(String(cString: json_string_value(json)))
        case JSON_INTEGER: self = .integer(json_integer_value(json))
        case JSON_TRUE: self = .boolean(true)
        case JSON_FALSE: self = .boolean(false)
        case JSON_NULL: self = .null
        default: return nil
        }
    }

    private static func members(
        of json: UnsafeMutablePointer<json_t>, depth: Int
    ) -> [String: CanonicalJSON]? {
        var members: [String: CanonicalJSON] = [:]
        var next = json_object_iter(json)
        while let position = next {
            guard let name = json_object_iter_key(position),
                let element = json_object_iter_value(position),
                let value = CanonicalJSON(element, depth: depth + 1)
            else { return nil }
            members[String(cString: name)] = value
            next = json_object_iter_next(json, position)
        }
        return members
    }

    /// Compact UTF-8 with members sorted by name, so equal values have equal bytes.
    package func encoded() throws(Fault) -> [UInt8] {
        guard let json = made else { throw Fault(.internal, "a value cannot be written as JSON") }
        defer { json_decref(json) }
        guard let text = json_dumps(json, Int(JSON_COMPACT | JSON_SORT_KEYS)) else {
            throw Fault(.internal, "a value cannot be written as JSON")
        }
        defer { free(text) }
        return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }

    /// A new Jansson value that the caller owns; nil for text with a NUL, or when memory is short.
    private var made: UnsafeMutablePointer<json_t>? {
        switch self {
        case .object(let members):
            guard let object = json_object() else { return nil }
            // The `_new` functions take over the value, even when they fail.
            for (name, value) in members where json_object_set_new(object, name, value.made) != 0 {
                json_decref(object)
                return nil
            }
            return object
        case .array(let values):
            guard let array = json_array() else { return nil }
            for value in values where json_array_append_new(array, value.made) != 0 {
                json_decref(array)
                return nil
            }
            return array
        case .text(let text): return text.utf8.contains(0) ? nil : json_string(text)
        case .integer(let number): return json_integer(number)
        case .boolean(let value): return value ? json_true() : json_false()
        case .null: return json_null()
        }
    }

    /// The member `name` of an object; nil when this is no object or has none of that name.
    package subscript(name: String) -> CanonicalJSON? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    /// nil unless this is text.
    package var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    /// nil unless this is an array.
    package var elements: [CanonicalJSON]? {
        guard case .array(let values) = self else { return nil }
        return values
    }

    /// nil unless this is an array of texts only.
    package var texts: [String]? {
        guard let elements else { return nil }
        let texts = elements.compactMap(\.text)
        return texts.count == elements.count ? texts : nil
    }
}
