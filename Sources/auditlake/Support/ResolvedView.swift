import Query

/// The view `<table>_resolved` of a PostgreSQL audit table: its rows with what later rows decided about them.
///
/// Lines that an `amends` names are spelled out, so that all joins are of equality on node, session and line. Where
/// several rows decide about one, the newest counts: an error takes back what COMMIT said before it.
struct ResolvedView {
    private static let needed: Set<String> = [
        "session_id", "audit_class", "result", "error_code", "extra", "raw",
    ]

    private let table: QueryTable
    private let from: String

    /// Creates the view of a table; nil when that is no PostgreSQL audit table.
    ///
    /// - Parameters:
    ///   - table: The table.
    ///   - reference: Its name as the engine reads it.
    init?(of table: QueryTable, named reference: String) {
        guard Self.needed.isSubset(of: table.columns.map(\.name)) else { return nil }
        self.table = table
        from = reference
    }

    /// The view in the table's schema.
    var view: DerivedView {
        DerivedView(schema: table.name.schema, name: "\(table.name.table)_resolved", sql: sql)
    }

    private var sql: String {
        """
        WITH rows AS (
            SELECT *, extra['node'] AS k_node, session_id AS k_session,
                TRY_CAST(extra['session_line_num'] AS BIGINT) AS k_line
            FROM \(from)
        ), token AS (
            SELECT k_node, k_session, k_line, event_time, error_code,
                unnest(string_split(extra['amends'], ' ')) AS token
            FROM rows WHERE extra['amends'] IS NOT NULL
        ), part AS (
            SELECT k_node, k_line AS decider, event_time AS decided_at, error_code,
                split_part(token, ':', 1) AS what,
                split_part(split_part(token, ':', 2), '@', 1) AS span,
                coalesce(nullif(split_part(token, '@', 2), ''), k_session) AS k_session
            FROM token
        ), amended AS (
            SELECT k_node, k_session, decider, decided_at, error_code, what,
                unnest(range(
                    CAST(split_part(span, '-', 1) AS BIGINT),
                    CAST(coalesce(nullif(split_part(span, '-', 2), ''), span) AS BIGINT) + 1
                )) AS k_line
            FROM part
        ), decided AS (
            SELECT k_node, k_session, k_line, bool_or(what = 'FAILURE') AS has_failed,
                max_by(error_code, (decided_at, decider)) FILTER (what = 'FAILURE') AS failure,
                max_by(what, (decided_at, decider)) FILTER (what <> 'FAILURE') AS transaction
            FROM amended GROUP BY ALL
        ), open AS (
            SELECT k_node, k_session, k_line, extra['statement_id'] AS statement_id,
                extra['virtual_transaction_id'] AS vxid
            FROM rows WHERE extra['outcome'] = 'open'
        ), finished AS (
            SELECT DISTINCT open.k_node, open.k_session, open.k_line
            FROM open JOIN rows ON rows.k_node = open.k_node AND rows.k_session = open.k_session
            WHERE rows.k_line > open.k_line AND (
                rows.extra['statement_id'] <> open.statement_id OR rows.command_tag = 'DISCONNECT'
                OR rows.extra['virtual_transaction_id'] <> open.vxid OR rows.result = 'FAILURE')
        ), referring AS (
            SELECT k_node, k_session, k_line, TRY_CAST(extra['statement_ref'] AS BIGINT) AS k_text
            FROM rows WHERE extra['statement_ref'] IS NOT NULL
        ), referred AS (
            SELECT r.k_node, r.k_session, r.k_line, any_value(rows.statement) AS statement
            FROM referring r JOIN rows
                ON rows.k_node = r.k_node AND rows.k_session = r.k_session AND rows.k_line = r.k_text
            GROUP BY ALL
        )
        SELECT rows.* EXCLUDE (k_node, k_session, k_line) REPLACE (
                coalesce(rows.statement, referred.statement) AS statement,
                CASE WHEN d.has_failed THEN 'FAILURE' ELSE rows.result END AS result,
                CASE WHEN d.has_failed THEN d.failure ELSE rows.error_code END AS error_code),
            CASE WHEN d.has_failed OR finished.k_line IS NOT NULL THEN 'final'
                ELSE extra['outcome'] END AS outcome,
            CASE WHEN d.has_failed THEN NULL
                ELSE coalesce(d.transaction, extra['txn_outcome']) END AS txn_outcome,
            extra['effective_role'] AS effective_role
        FROM rows
        LEFT JOIN decided d ON d.k_node = rows.k_node AND d.k_session = rows.k_session
            AND d.k_line = rows.k_line AND extra['audit_type'] IS NOT NULL
        LEFT JOIN finished ON finished.k_node = rows.k_node AND finished.k_session = rows.k_session
            AND finished.k_line = rows.k_line
        LEFT JOIN referred ON referred.k_node = rows.k_node AND referred.k_session = rows.k_session
            AND referred.k_line = rows.k_line
        """
    }
}
