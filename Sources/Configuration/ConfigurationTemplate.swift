/// The commented `auditlake.yaml` that `auditlake init` writes.
///
/// Lines that begin with `#` and a space explain; lines that begin with `#` and a key are settings with their
/// defaults, which hold again once the `#` is taken away.
package struct ConfigurationTemplate: Hashable, Sendable {
    /// A pipeline of PostgreSQL logs.
    package struct Postgres: Hashable, Sendable {
        /// Which log files the pipeline tails, as a path with wildcards.
        package var logGlob: String
        /// Value of column `src`.
        package var role: String
        /// The table that receives the rows, `schema.table`.
        package var table: String

        package init(logGlob: String, role: String, table: String) {
            self.logGlob = logGlob
            self.role = role
            self.table = table
        }
    }

    /// A pipeline of Databricks audit events.
    package struct Databricks: Hashable, Sendable {
        /// The files of events, as a path with wildcards.
        package var objectGlob: String
        /// The schema of bronze and silver.
        package var schema: String

        package init(objectGlob: String, schema: String) {
            self.objectGlob = objectGlob
            self.schema = schema
        }
    }

    /// A pipeline of customers' CSV files.
    package struct CustomerCSV: Hashable, Sendable {
        /// The files, as a path with wildcards.
        package var objectGlob: String
        /// The table that receives the rows, `schema.table`.
        package var table: String

        package init(objectGlob: String, table: String) {
            self.objectGlob = objectGlob
            self.table = table
        }
    }

    /// The pipeline of PostgreSQL logs; nil for none.
    package var postgres: Postgres?
    /// The pipeline of Databricks audit events; nil for one that is commented out.
    package var databricks: Databricks?
    /// The pipeline of customers' CSV files; nil for one that is commented out.
    package var customerCSV: CustomerCSV?

    package init(postgres: Postgres?, databricks: Databricks? = nil, customerCSV: CustomerCSV? = nil) {
        self.postgres = postgres
        self.databricks = databricks
        self.customerCSV = customerCSV
    }

    /// The text of the file; loads without a fault when the parameters are valid.
    package var text: String {
        let blocks = [postgres.map(Self.block), Self.block(databricks), Self.block(customerCSV)]
        return ([Self.introduction] + blocks.compactMap(\.self) + [Self.ending]).joined(separator: "\n")
    }

    private static let introduction = """
        # auditlake: which logs go into which tables. Check this file with: auditlake check
        # Lines “#key: value” show a setting's default; take the # away to change it.
        # Anywhere, ${ROLE} takes a variable of the environment, ${file:/run/secrets/x} the content of a file;
        # $${ stands for a literal ${. Relative paths count from the folder of this file.

        # Where the tables lie: a folder, or s3://bucket/prefix.
        lake: ./lake

        # First part of every table name: catalog.schema.table.
        #catalog: main

        # One entry per server or source. The name is yours; it also names the server unless node says otherwise.
        pipelines:
        """

    private static func block(_ pipeline: Postgres) -> String {
        """
          postgres_logs:
            kind: postgres

            # Log files, by wildcard; a list is possible: [/logs/a/*.csv, /logs/b/*.csv]. csvlog or jsonlog, never both
            # of one server: they tell the same. Each file's name or content tells which, unless format: says so.
            source: {files: \(quoted(pipeline.logGlob))}

            # Value of column src, to tell a primary from its replicas.
            role: \(quoted(pipeline.role))

            # schema.table; pipelines of one role may share a table.
            table: \(quoted(pipeline.table))

            # Which server this is. Session ids of two servers can collide: give each its own name.
            #node: postgres_logs

            # all, or audit: only audit events, failures and connections become rows, the rest is counted.
            #keep: all

            # Records of these users and applications are left out and counted: the traffic of auditlake's own loads. A
            # client names its application itself: who knows the name can hide behind it. Failed logins always stay.
            # For example: {roles: [loader], applications: [auditlake]}.
            #exclude: {}

            # Zone of the server's log_timezone, needed when the log writes an ambiguous abbreviation such as IST.
            #timezone: UTC

            # on blanks passwords and the like in every column; off keeps them.
            #redact: on

            # normalized replaces every literal in column statement by a placeholder; verbatim keeps the SQL as logged.
            #statement: normalized

            # fail stops when log files vanish before they were read; continue records the gap and goes on.
            #on_data_loss: fail

            # Where to begin the first time: earliest, latest, or a time such as "2026-11-21 10:00:00+01:00".
            #start: earliest

            # run --follow: the longest time from a whole record in the log to its row in the table.
            #commit_every: 1s

            # How long a log file that has vanished is kept in mind.
            #forget_after: 7d

            # Sizes: 64MB is 64 million bytes, 1GiB is 2^30. Longest record taken whole; largest commit;
            # longest unfinished record at the end of a file.
            #max_record_bytes: 1MiB
            #batch_bytes: 1GB
            #max_pending_bytes: 128MiB

            # auditlake load brings the table into one of the warehouses below, too. For example:
            # {warehouse: dwh, table: public.audit_logs}; with mode: merge, key: [COLUMN] rows of a key replace older ones.
            #load: ~

        """
    }

    private static func block(_ given: Databricks?) -> String {
        let pipeline =
            given ?? Databricks(objectGlob: "/var/audit/databricks/**/*.json*", schema: "databricks_audit")
        let mark = given == nil ? "#" : ""
        let hint = given == nil ? " Take the # away from all lines of the block." : ""
        return """
              # Databricks audit events: schema.bronze (the lines as delivered), schema.silver (one row per event) and, in
              # schema_gold, one table per service with a column per parameter.\(hint)
              \(mark)databricks_audit:
                \(mark)kind: databricks

                # Files of events, by wildcard (** crosses folders), or a list; also .gz and .zst. A file that is delivered again
                # with more lines gives the new ones. In a bucket: {objects: "s3://acme-audit/logs/**/*.json*", window: 7d}; window
                # makes most listings leap over folders date=… of earlier days, which are listed once an hour. A bucket that tells of
                # new objects in a queue of SQS needs no other listings: {objects: …, notifications: {queue_url: "https://sqs.…"}}.
                \(mark)source: {objects: \(quoted(pipeline.objectGlob))}

                # The tables: bronze and silver in this schema, one a service in that with _gold behind its name.
                \(mark)schema: \(quoted(pipeline.schema))

                # Keys of requestParams with these values are left out; {} and [] can be added.
                #strip: [null, ""]

                # What to do when a rule is broken: warn, fail (stop before the commit), or drop (the event goes to the quarantine).
                #expectations:
                  #valid_workspace_id: warn
                  #timestamp_is_not_null: warn
                  #service_name_is_not_null: warn
                  #action_name_is_not_null: warn
                  #no_rows_dropped: fail
                  #gold_matches_silver: fail

                # A file that grew: compare the end of what was read (tail), or all of it (full).
                #verify_prefix: tail

                # A file whose old lines changed: report leaves it alone; reingest reads it again as a correction, also when set later.
                #on_change: report

                # fail stops when planned bytes are gone; continue names the gap and goes on. forget_after: 90d forgets files that
                # are so much older than the newest one. Following: the longest time from a
                # file that was found to its rows, and how often the folders are looked through. Sizes: longest record taken
                # whole; largest commit; longest line without an end.
                #on_data_loss: fail
                #forget_after: ~
                #commit_every: 1s
                #poll_every: 5s
                #max_record_bytes: 16MiB
                #batch_bytes: 1GB
                #max_pending_bytes: 128MiB

                # auditlake load brings silver into one of the warehouses below, too: {warehouse: dwh, table: public.silver}.
                #load: ~

            """
    }

    private static func block(_ given: CustomerCSV?) -> String {
        let pipeline =
            given ?? CustomerCSV(objectGlob: "/var/audit/customers/**/*.csv", table: "customers.audit_logs")
        let mark = given == nil ? "#" : ""
        let hint = given == nil ? " Take the # away from all lines of the block." : ""
        return """
              # CSV files of customers: one row for each event, however often files repeat it.\(hint)
              \(mark)customers:
                \(mark)kind: customer_csv

                # Files with a header, by wildcard (** crosses folders), or a list; also .gz and .zst, and in a bucket, as above.
                \(mark)source: {objects: \(quoted(pipeline.objectGlob))}

                # The table to fill, schema.table.
                \(mark)table: \(quoted(pipeline.table))

                # Whose event it is: a column, or a part of the path: {path: "csv/{customer}/"}.
                #customer: {column: customer}

                # The column with the time of the event; ~ is event_time, else timestamp.
                #event_time: ~

                # Types of columns that are not to be found out: text, integer, double, boolean, timestamp, or with a format:
                # {at: {type: timestamp, format: "%d/%m/%Y %H:%M:%S"}}.
                #columns: {}

                # What values are separated by: auto, or one of "," ";" "\\t" "|".
                #separator: auto

                # Columns that do not count when rows are told apart, such as a number made anew for each export:
                # {exclude: [unique_identifier]}.
                #identity: ~

                # What is taken out before anything is stored: {ip: hash, name: {truncate: 1}, token: drop}. Its key comes from a
                # variable: mask_key: "${AUDITLAKE_MASK_KEY}".
                #mask: {}
                #mask_key: ~

                # auditlake load brings the table into one of the warehouses below, too: {warehouse: dwh, table: public.audit_logs}.
                #load: ~

                # A file that was rewritten: reingest adds its new rows; report leaves it alone.
                #on_change: reingest
                #on_data_loss: fail
                #forget_after: ~
                #commit_every: 1s
                #poll_every: 5s
                #max_record_bytes: 1MiB
                #batch_bytes: 1GB

            """
    }

    private static let ending = """
        # Buckets of which the environment (AWS_REGION, AWS_PROFILE and so on) does not say all.
        #object_stores:
          #acme-audit:
            #region: eu-central-1
            #encryption: default
            #timeout: 30s

        # Where run --follow keeps logs of PostgreSQL while the lake is down: each pipeline at most max_bytes, and nothing once
        # the disk has no more than disk_floor free. spool: off keeps nothing.
        #spool: {folder: ./spool, max_bytes: 10GB, disk_floor: 5GB}

        # SQL warehouses that pipelines load their main table into. For example:
        # {dwh: {kind: postgres, url: "postgresql://loader:${PGPASSWORD}@host:5432/db?sslmode=verify-full"}}.
        #warehouses: ~

        # What auditlake may use.
        #limits: {memory: 150MB}

        """

    /// `text` as a YAML scalar in double quotes, in which `${` stays literal.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.replacing("${", with: "$${").unicodeScalars {
            switch character {
            case "\\", "\"": result += "\\\(character)"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }
}
