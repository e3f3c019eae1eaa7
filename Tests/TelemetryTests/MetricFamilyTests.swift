import Telemetry
import Testing

@Suite("Metrics")
struct MetricFamilyTests {
    @Test("a gauge is described, and whole numbers have no fraction")
    func gauge() {
        let family = MetricFamily.gauge("tributary_jobs", "Jobs.", by: "state", [("queued", 3)])
        #expect(
            family.text == """
                # HELP tributary_jobs Jobs.
                # TYPE tributary_jobs gauge
                tributary_jobs{state="queued"} 3

                """)
        #expect(MetricFamily.gauge("a", "b", 0.25).text.hasSuffix("\na 0.25\n"))
        #expect(MetricFamily.gauge("a", "b", .nan).text.hasSuffix("\na NaN\n"))
        #expect(MetricFamily.gauge("a", "b", -.infinity).text.hasSuffix("\na -Inf\n"))
        #expect(MetricFamily.gauge("a", "b", 1.7e9).text.hasSuffix("\na 1700000000\n"))
    }

    @Test("what a label or a description holds cannot end its line")
    func escaping() {
        var family = MetricFamily(.gauge, "a", "one\ntwo \\ \"three\"")
        family.add(1, [("plan", "x\"} 2\r\nb \\")])
        #expect(
            family.text
                == "# HELP a one\\ntwo \\\\ \"three\"\n# TYPE a gauge\n"
                + "a{plan=\"x\\\"} 2\r\\nb \\\\\"} 1\n")
    }

    @Test("a histogram's buckets add up, and the last holds everything")
    func histogram() {
        var histogram = Histogram(bounds: [1, 10])
        for value in [0.5, 1, 2, 100] { histogram.observe(value) }
        var family = MetricFamily(.histogram, "seconds", "How long.")
        family.add(histogram, [("plan", "p")])
        #expect(
            family.text == """
                # HELP seconds How long.
                # TYPE seconds histogram
                seconds_bucket{plan="p",le="1"} 2
                seconds_bucket{plan="p",le="10"} 3
                seconds_bucket{plan="p",le="+Inf"} 4
                seconds_sum{plan="p"} 103.5
                seconds_count{plan="p"} 4

                """)
    }

    @Test("the process's own metrics are there, and say how much memory it has")
    func process() throws {
        let families = ProcessMetrics.families(role: "agent", version: "1.2")
        let text = families.text
        #expect(text.contains("tributary_build_info{role=\"agent\",version=\"1.2\"} 1\n"))
        for name in ["process_cpu_seconds_total", "process_start_time_seconds", "process_open_fds"]
        {
            #expect(families.contains { $0.name == name }, "\(name)")
        }
        let memory = try #require(text.firstMatch(of: /\nprocess_resident_memory_bytes (\d+)\n/))
        #expect((1 << 20..<1 << 36).contains(try #require(Int(memory.1))))
        #expect(text.contains("tributary_log_messages_total{level=\"error\"}"))
    }
}
