import Testing

/// The programs as people run them: processes on loopback, other people's tools, bad input, crashes.
///
/// One after another: two cores are soon busy.
@Suite("The programs", .serialized)
struct InteropTests {
    /// What needs a fleet, but leaves it in order.
    @Suite("with a fleet", .fleet(.beads, .guests, .stripes))
    struct WithFleet {}
}
