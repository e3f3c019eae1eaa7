/// The one of `known`, the keys of a file or the commands of a program, that `key` was probably meant to be: it begins with
/// `key`, or is at most two edits away, or a third of the length of `key`; nil when nothing is near.
package func nearest(to key: String, among known: [String]) -> String? {
    if key.utf8.count >= 3, let longer = known.first(where: { $0.hasPrefix(key) }) {
        return longer
    }
    let scored = known.map { (name: $0, distance: editDistance(key, $0)) }
    guard let best = scored.min(by: { $0.distance < $1.distance }),
        best.distance <= max(2, key.utf8.count / 3), best.distance < best.name.utf8.count
    else { return nil }
    return best.name
}

/// The Levenshtein distance: insertions, deletions and substitutions of bytes that turn one text
/// into the other.
private func editDistance(_ from: String, _ to: String) -> Int {
    // A key far longer than any known one is near none of them; its start tells as much.
    let source = Array(from.utf8.prefix(64))
    let target = Array(to.utf8.prefix(64))
    var row = Array(0...target.count)
    for (index, byte) in source.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for column in target.indices {
            let substitution = diagonal + (byte == target[column] ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(substitution, row[column] + 1, diagonal + 1)
        }
    }
    return row[target.count]
}
