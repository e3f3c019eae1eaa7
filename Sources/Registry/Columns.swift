import Federation
import Foundation
import GRDB

// How the shared vocabulary is stored. A column that does not decode is a damaged registry, and is
// reported where it is read instead of trapping as GRDB's own subscript would.

extension Row {
    /// The value of `column`.
    ///
    /// - Throws: `storage` when it is not a valid `Value`.
    func value<Value: DatabaseValueConvertible>(_ column: String) throws(Fault) -> Value {
        let stored: DatabaseValue = self[column]
        guard let value = Value.fromDatabaseValue(stored) else {
            throw Fault(
                .storage, "the registry holds \(stored) as \(column), which is not valid",
                remedy: "restore the registry from a backup")
        }
        return value
    }

    /// The value of `column`, nil when it is NULL.
    ///
    /// - Throws: `storage` when it is neither NULL nor a valid `Value`.
    func optional<Value: DatabaseValueConvertible>(_ column: String) throws(Fault) -> Value? {
        let stored: DatabaseValue = self[column]
        return stored.isNull ? nil : try value(column)
    }
}

extension Digest: DatabaseValueConvertible {
    var databaseValue: DatabaseValue { Data(bytes).databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> Digest? {
        Data.fromDatabaseValue(value).flatMap { Digest(bytes: Array($0)) }
    }
}

extension PlanID: DatabaseValueConvertible {
    var databaseValue: DatabaseValue { name.databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> PlanID? {
        String.fromDatabaseValue(value).flatMap { PlanID($0) }
    }
}

extension AgentID: DatabaseValueConvertible {
    var databaseValue: DatabaseValue { name.databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> AgentID? {
        String.fromDatabaseValue(value).flatMap { AgentID($0) }
    }
}

extension RoundID: DatabaseValueConvertible {
    var databaseValue: DatabaseValue { number.databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> RoundID? {
        UInt64.fromDatabaseValue(value).map { RoundID($0) }
    }
}

extension RoundPhase: DatabaseValueConvertible {}

extension Role: DatabaseValueConvertible {}

extension UInt64 {
    /// This number, or the largest that an SQLite integer holds: what a device reports may be
    /// anything.
    var storable: UInt64 { Swift.min(self, UInt64(Int64.max)) }
}
