import Testing

@testable import AuditFormats

/// The three forms in which events are delivered give the same columns.
@Suite struct EventFormsTests {
    static let classic = #"""
        {"version":"2.0","timestamp":1793491200123,"workspaceId":"42","sourceIPAddress":"10.0.0.1","userAgent":"ua \"x\"","sessionId":"s1","userIdentity":{"email":"zoë@example.com","subjectName":null},"serviceName":"clusters","actionName":"create","requestId":"r1","requestParams":{"cluster_name":"a","num_workers":2,"on":true,"gone":null,"blank":"","tags":{"k": [1, "x y"]}},"response":{"statusCode":200,"errorMessage":null,"result":"{\"id\":1}"},"auditLevel":"WORKSPACE_LEVEL","accountId":"acc"}
        """#

    @Test func aClassicEventFillsEveryTable() throws {
        let found = decodeEvents(Self.classic + "\n")
        #expect(found.tables.bronze.count == 1)
        #expect(found.tables.bronze[0]["raw"] == .text(Self.classic))
        #expect(found.tables.bronze[0]["raw_encoding"] == .null)
        #expect(found.tables.bronze[0]["source"] == .text("events.json"))
        #expect(found.tables.bronze[0]["source_offset"] == .number(0))
        #expect(found.tables.bronze[0]["source_time"] == .number(5))
        // 2026-11-01 is day 20758.
        let silver = try #require(found.tables.silver[20_758]?.first)
        #expect(silver["version"] == .text("2.0"))
        #expect(silver["timestamp"] == .number(1_793_491_200_123))
        #expect(silver["date_time"] == .number(1_793_491_200_123_000))
        #expect(silver["workspaceId"] == .text("42"))
        #expect(silver["accountId"] == .text("acc"))
        #expect(silver["sourceIPAddress"] == .text("10.0.0.1"))
        #expect(silver["userAgent"] == .text(#"ua "x""#))
        #expect(silver["sessionId"] == .text("s1"))
        #expect(silver["email"] == .text("zoë@example.com"))
        #expect(silver["subjectName"] == .null)
        #expect(silver["serviceName"] == .text("clusters"))
        #expect(silver["actionName"] == .text("create"))
        #expect(silver["requestId"] == .text("r1"))
        #expect(silver["auditLevel"] == .text("WORKSPACE_LEVEL"))
        #expect(
            silver["requestParams"]?.texts == [
                "cluster_name": "a", "num_workers": "2", "on": "true", "tags": #"{"k":[1,"x y"]}"#,
            ]
        )
        #expect(
            silver["response"]
                == .fields(["statusCode": .number(200), "errorMessage": .null, "result": .text(#"{"id":1}"#)])
        )
        #expect(silver["_rescued"] == .null)
        #expect(silver["identity_metadata"] == .null)
        #expect(silver["ingest_ts"] == .number(ingestTimeOfEvents))
        let gold = try #require(found.tables.gold["clusters"]?[20_758]?.first)
        #expect(gold["requestParams"]?.texts == silver["requestParams"]?.texts)
        #expect(gold.filter { $0.key != "requestParams" } == silver.filter { $0.key != "requestParams" })
        #expect(
            found.services == [
                ServiceSchema(
                    service: "clusters",
                    table: "clusters",
                    keys: ["cluster_name", "num_workers", "on", "tags"].map { .init(key: $0, column: $0) }
                )
            ]
        )
    }

    @Test func theSystemTablesFormGivesTheSameColumns() throws {
        let line = #"""
            {"account_id":"acc","workspace_id":42,"version":"2.0","event_time":"2026-11-01T01:00:00.123456+01:00","event_date":"2026-11-01","source_ip_address":"10.0.0.1","user_agent":"ua","session_id":"s1","user_identity":{"email":"a@b.c","subject_name":"A"},"service_name":"jobs","action_name":"runNow","request_id":"r1","request_params":{"job_id":"7"},"response":{"status_code":"403","error_message":"no","result":{"x": 1}},"audit_level":"ACCOUNT_LEVEL","event_id":"e-1","identity_metadata":{"run_by":"me","acting":null}}
            """#
        let silver = try #require(decodeEvents(line).tables.silver[20_758]?.first)
        #expect(silver["timestamp"] == .number(1_793_491_200_123))
        #expect(silver["date_time"] == .number(1_793_491_200_123_456))
        #expect(silver["workspaceId"] == .text("42"))
        #expect(silver["event_id"] == .text("e-1"))
        #expect(silver["subjectName"] == .text("A"))
        #expect(silver["requestParams"]?.texts == ["job_id": "7"])
        #expect(
            silver["response"]
                == .fields([
                    "statusCode": .number(403), "errorMessage": .text("no"), "result": .text(#"{"x":1}"#),
                ])
        )
        #expect(silver["identity_metadata"] == .pairs(["run_by": .text("me"), "acting": .null]))
        #expect(silver["_rescued"] == .null)
    }

    static let diagnosticRecord = #"""
        {"Host":"h","category":"jobs","identity":"{\"email\":\"a@b.c\",\"subjectName\":\"A\"}","operationName":"Microsoft.Databricks/jobs/runNow","operationVersion":"1.0.0","properties":{"actionName":"runNow","logId":"l-1","requestId":"r1","requestParams":"{\"job_id\":\"7\",\"none\":null,\"o\":{\"a\": \"\\\"\"}}","response":"{\"statusCode\":200,\"errorMessage\":null,\"result\":null}","serviceName":"jobs","sessionId":"s1","sourceIPAddress":"10.0.0.1","userAgent":"ua"},"resourceId":"/R","time":"2026-11-01T00:00:00.1234567Z"}
        """#

    @Test(arguments: [true, false])
    func theDiagnosticFormGivesTheSameColumns(inEnvelope: Bool) throws {
        let start = #"{"records": ["#
        let line = inEnvelope ? start + Self.diagnosticRecord + " , 7]}" : Self.diagnosticRecord
        let found = decodeEvents(line)
        let silver = try #require(found.tables.silver[20_758]?.first)
        #expect(silver["version"] == .text("1.0.0"))
        #expect(silver["date_time"] == .number(1_793_491_200_123_456))
        #expect(silver["timestamp"] == .number(1_793_491_200_123))
        #expect(silver["email"] == .text("a@b.c"))
        #expect(silver["subjectName"] == .text("A"))
        #expect(silver["serviceName"] == .text("jobs"))
        #expect(silver["requestId"] == .text("r1"))
        #expect(silver["requestParams"]?.texts == ["job_id": "7", "o": #"{"a":"\""}"#])
        #expect(
            silver["response"]
                == .fields(["statusCode": .number(200), "errorMessage": .null, "result": .null])
        )
        #expect(
            silver["_rescued"]?.texts == [
                "Host": "h", "category": "jobs", "operationName": "Microsoft.Databricks/jobs/runNow",
                "resourceId": "/R", "properties.logId": "l-1",
            ]
        )
        #expect(silver["source_offset"] == .number(inEnvelope ? Int64(start.utf8.count) : 0))
        // Of the form that has no workspaceId none is asked.
        #expect(found.totals.rules[0].checkedCount == 0)
        if inEnvelope {
            #expect(found.tables.quarantine.map { $0["reason"] } == [.text("no_event")])
            #expect(found.tables.quarantine[0]["raw"] == .text("7"))
            #expect(found.totals.recordCount == 2)
        }
    }
}
