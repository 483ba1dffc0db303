import Columnar

/// The keys of the `extra` column, in the order in which a row carries them, as entries of the present row group.
struct ExtraKeys {
    var node: Int32 = 0
    var logFormat: Int32 = 0
    var auditType: Int32 = 0
    var statementID: Int32 = 0
    var substatementID: Int32 = 0
    var parameter: Int32 = 0
    var rows: Int32 = 0
    var message: Int32 = 0
    var detail: Int32 = 0
    var hint: Int32 = 0
    var context: Int32 = 0
    var applicationName: Int32 = 0
    var backendType: Int32 = 0
    var processID: Int32 = 0
    var sessionLineNumber: Int32 = 0
    var severity: Int32 = 0
    var virtualTransactionID: Int32 = 0
    var transactionID: Int32 = 0
    var queryID: Int32 = 0
    var fingerprint: Int32 = 0
    var parsedClass: Int32 = 0
    var parsedObjectType: Int32 = 0
    var parsedObjectName: Int32 = 0
    var rawEncoding: Int32 = 0
    var truncated: Int32 = 0
    var effectiveRole: Int32 = 0
    var outcome: Int32 = 0
    var amends: Int32 = 0
    var transactionOutcome: Int32 = 0
    var statementReference: Int32 = 0

    /// Enters all keys into `map`; to be called at the start of every row group.
    init(in map: inout MapBuilder) {
        node = map.enter("node")
        logFormat = map.enter("log_format")
        auditType = map.enter("audit_type")
        statementID = map.enter("statement_id")
        substatementID = map.enter("substatement_id")
        parameter = map.enter("parameter")
        rows = map.enter("rows")
        message = map.enter("message")
        detail = map.enter("detail")
        hint = map.enter("hint")
        context = map.enter("context")
        applicationName = map.enter("application_name")
        backendType = map.enter("backend_type")
        processID = map.enter("process_id")
        sessionLineNumber = map.enter("session_line_num")
        severity = map.enter("log_line_severity")
        virtualTransactionID = map.enter("virtual_transaction_id")
        transactionID = map.enter("transaction_id")
        queryID = map.enter("query_id")
        fingerprint = map.enter("fingerprint")
        parsedClass = map.enter("parsed_class")
        parsedObjectType = map.enter("parsed_object_type")
        parsedObjectName = map.enter("parsed_object_name")
        rawEncoding = map.enter("raw_encoding")
        truncated = map.enter("truncated")
        effectiveRole = map.enter("effective_role")
        outcome = map.enter("outcome")
        amends = map.enter("amends")
        transactionOutcome = map.enter("txn_outcome")
        statementReference = map.enter("statement_ref")
    }
}
