import AuditFormats

/// Lines of every form, with what makes each hard.
enum EventSamples {
    static let lines: [String] = [
        EventFormsTests.classic,
        #"{"records":[\#(EventFormsTests.diagnosticRecord),\#(EventFormsTests.diagnosticRecord)]}"#,
        #"{"version":"2.0","timestamp":1793491200000,"workspaceId":"0","serviceName":"jobs","actionName":"run","requestParams":{"job_id":"1","Job_Id":"2"},"response":null,"newField":{"a":[]}}"#,
        #"{"event_time":"2026-11-02T23:59:59.999Z","workspace_id":"5","service_name":"größe","action_name":"x","request_params":{"a\"b":"\ud83d\ude80"},"event_id":"id-1"}"#,
        EventFormsTests.classic,
        #"{"timestamp":1793404799999,"serviceName":"jobs","actionName":"late"}"#,
        #"{"not":"an event"}"#,
        #"{"timestamp":1793491200000,"serviceName":"jobs""#,
        "",
        #"{"actionName":"no service, no time"}"#,
    ]

    static let bytes: [UInt8] = {
        var bytes = Array(lines.joined(separator: "\n").utf8)
        // Bytes of Latin-1, in an event and in what is none.
        bytes +=
            Array("\n{\"timestamp\":1793491200000,\"serviceName\":\"jobs\",\"actionName\":\"caf".utf8) + [
                0xE9
            ]
        bytes +=
            Array("\",\"requestParams\":{\"b\":\"".utf8) + [0xFC, 0xDF] + Array("\"}}\r\n   \r\n\r\n".utf8)
        bytes += [0xFF, 0xFE] + Array("rest\n".utf8)
        // A byte order mark, and fields beside records.
        bytes += Array("\u{FEFF}\(EventFormsTests.classic)\n".utf8)
        bytes += Array(
            #"{"a":"1","records":[{"actionName":"x","a":"2"},{"actionName":"y"}],"version":3}"#.utf8
        )
        bytes += Array("\n{\"records\":[{\"actionName\":\"".utf8) + [0xE4]
        bytes += Array("\"},{\"actionName\":\"second\"}]}".utf8)
        return bytes
    }()
}
