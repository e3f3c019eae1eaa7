/// What can go wrong in one world, and how often. Each seed has a few kinds of trouble, so that they also come alone.
struct Hazards {
    /// Seconds that bytes are on their way, at least and at most.
    var delay = (least: 0.001, most: 0.05)
    /// The chance that a send breaks its connection, after some of its bytes.
    var cut = 0.0
    /// The chance that a broken connection looks whole to one side: it hears nothing more.
    var halfOpen = 0.0
    /// Seconds between two partitions of an agent from the coordinator, on average; 0: none.
    var partitionEvery = 0.0
    /// Seconds between two kills of a device, on average; 0: none.
    var deviceKillEvery = 0.0
    /// Seconds between two kills of the coordinator, on average; 0: none.
    var coordinatorKillEvery = 0.0
    /// The chance that the coordinator is killed just before, or just after, a command reaches its disk.
    var killAtCommand = 0.0
    /// The chance that a device is killed just before, or just after, it writes.
    var killAtWrite = 0.0
    /// The chance that a command fails, the coordinator living on.
    var diskFault = 0.0
    /// Seconds between two times when the disk takes no writes for a while, on average; 0: none.
    var diskOutageEvery = 0.0
    /// Seconds between two jumps of the wall clock, on average; 0: none.
    var clockJumpEvery = 0.0
    /// Agents that send what they like.
    var hostileAgents = 0
    /// The chance that a device finds it cannot train after all.
    var decline = 0.0
    /// The chance, at each look, that the admin cancels the round that runs.
    var cancel = 0.0
    /// Whether the admin pauses a plan, and lets it go on later.
    var pauses = false
    /// Whether one of the agents is revoked on the way.
    var revokes = false
    /// Whether the owner of one takes it out of the fleet.
    var leaves = false

    /// How long trouble goes on, in seconds.
    var troubledSeconds = 90.0

    init(_ world: World) {
        func sometimes(_ probability: Double) -> Bool { world.happens(probability) }
        if sometimes(0.5) {
            delay.most = [0.2, 1, 5][world.draw(0...2)]
        }
        if sometimes(0.5) { cut = [0.002, 0.02, 0.1][world.draw(0...2)] }
        if sometimes(0.3) { halfOpen = 0.5 }
        if sometimes(0.3) { partitionEvery = [10, 30][world.draw(0...1)] }
        if sometimes(0.4) { deviceKillEvery = [3, 20][world.draw(0...1)] }
        if sometimes(0.4) { coordinatorKillEvery = [5, 15, 40][world.draw(0...2)] }
        if sometimes(0.4) { killAtCommand = [0.002, 0.01, 0.05][world.draw(0...2)] }
        if sometimes(0.3) { killAtWrite = 0.05 }
        if sometimes(0.2) { diskFault = [0.002, 0.02][world.draw(0...1)] }
        if sometimes(0.15) { diskOutageEvery = 25 }
        if sometimes(0.3) { clockJumpEvery = 15 }
        if sometimes(0.4) { hostileAgents = world.draw(1...2) }
        if sometimes(0.2) { decline = 0.2 }
        if sometimes(0.15) { cancel = 0.3 }
        pauses = sometimes(0.15)
        revokes = sometimes(0.1)
        leaves = sometimes(0.2)
        troubledSeconds = world.draw(from: 30, to: 90)
    }

    /// What is left when the trouble ends: a network as networks are.
    mutating func end() {
        let kept = delay
        let (hostile, revokes) = (hostileAgents, revokes)
        self = Hazards()
        delay = (kept.least, min(kept.most, 0.2))
        hostileAgents = hostile
        self.revokes = revokes
    }

    private init() {}
}
