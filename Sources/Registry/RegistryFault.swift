import Federation
import GRDB
import Glibc

/// The fault that a caller sees for `error`; a `Fault` passes through.
func fault(from error: any Error, during command: String) -> Fault {
    switch error {
    case let fault as Fault: fault
    case let error as DatabaseError: fault(fromSQLite: error, during: command)
    case is CancellationError:
        Fault(.unavailable, "cannot \(command): the request was cancelled")
    case is RowDecodingError:
        Fault(
            .storage,
            "cannot \(command): the registry holds a value that does not decode: \(error)",
            remedy: "restore the registry from a backup")
    default: Fault(.internal, "cannot \(command): \(error)")
    }
}

private func fault(fromSQLite error: DatabaseError, during command: String) -> Fault {
    let message = "cannot \(command): \(error.message ?? "SQLite error \(error.resultCode)")"
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
        return Fault(
            .unavailable, message, remedy: "another process is writing the registry; try again")
    case .SQLITE_FULL:
        return Fault(.storage, message, remedy: "free some space on the disk and try again")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
        return Fault(.storage, message, remedy: "restore the registry from a backup")
    case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_IOERR, .SQLITE_PERM:
        return Fault(
            .storage, message, remedy: "check the owner, mode and disk of the state directory")
    case .SQLITE_CONSTRAINT: return Fault(constraintCode(error), message)
    default: return Fault(.internal, message)
    }
}

/// Commands check what they can name well before they write; this is what the schema itself
/// refuses.
private func constraintCode(_ error: DatabaseError) -> Fault.Code {
    switch error.extendedResultCode {
    case .SQLITE_CONSTRAINT_FOREIGNKEY: .notFound
    case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY: .conflict
    case .SQLITE_CONSTRAINT_CHECK, .SQLITE_CONSTRAINT_NOTNULL: .invalid
    default: .internal
    }
}

/// A `storage` fault that names the cause the system gave.
func storageFault(_ message: String, _ code: Int32) -> Fault {
    let cause = String(cString: strerror(code))
    let remedy =
        switch code {
        case ENOSPC, EDQUOT: "free some space on the disk and try again"
        case ENOTDIR, EEXIST: "name a directory, not a file"
        default: "check the owner, mode and disk of the state directory"
        }
    return Fault(.storage, "\(message): \(cause)", remedy: remedy)
}
