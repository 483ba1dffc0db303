/// The commented `auditlake.yaml` that `auditlake init` writes.
///
/// Lines that begin with `#` and a space explain; lines that begin with `#` and a key are settings with their
/// defaults, which hold again once the `#` is taken away.
package struct ConfigurationTemplate: Hashable, Sendable {
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

    /// The text of the file; loads without a fault when the parameters are valid.
    package var text: String {
        """
        # auditlake: which logs go into which tables. Check this file with: auditlake check
        # Lines “#key: value” show a setting's default; take the # away to change it.
        # Anywhere, ${ROLE} takes a variable of the environment, ${file:/run/secrets/x} the content of a file;
        # $${ stands for a literal ${. Relative paths count from the folder of this file.

        # Where the tables lie: a folder.
        lake: ./lake

        # First part of every table name: catalog.schema.table.
        #catalog: main

        # One entry per server. The name is yours; it also names the server unless node says otherwise.
        pipelines:
          postgres_logs:
            kind: postgres

            # Log files, by wildcard; a list is possible: [/logs/a/*.csv, /logs/b/*.csv]. csvlog or jsonlog, never both
            # of one server: they tell the same. Each file's name or content tells which, unless format: says so.
            source: {files: \(Self.quoted(logGlob))}

            # Value of column src, to tell a primary from its replicas.
            role: \(Self.quoted(role))

            # schema.table; pipelines of one role may share a table.
            table: \(Self.quoted(table))

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

          # Databricks audit events: schema.bronze (the lines as delivered), schema.silver (one row per event) and, in
          # schema_gold, one table per service with a column per parameter. Take the # away from all lines of the block.
          #databricks_audit:
            #kind: databricks

            # Files of events, by wildcard (** crosses folders), or a list; also .gz and .zst. A file that is delivered again
            # with more lines gives the new ones.
            #source: {objects: "/var/audit/databricks/**/*.json*"}

            # The tables: databricks_audit.bronze, databricks_audit.silver, databricks_audit_gold.<service>.
            #schema: databricks_audit

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

            # A file whose old lines changed: report leaves it alone; reingest reads it again as a correction.
            #on_change: report

            # The next as above; poll_every is how often run --follow looks through the folders.
            #on_data_loss: fail
            #commit_every: 1s
            #poll_every: 5s
            #max_record_bytes: 16MiB
            #batch_bytes: 1GB
            #max_pending_bytes: 128MiB

        # What auditlake may use.
        #limits: {memory: 150MB}

        """
    }

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
