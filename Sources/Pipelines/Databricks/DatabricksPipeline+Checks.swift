import AuditFormats
import BatchProtocol
import Catalog
import FoundationEssentials

extension DatabricksPipeline {
    /// How the batch stands to every rule, from what was read and what lies in its files.
    ///
    /// - Throws: `PipelineError` with code `expectationFailed` when a rule of the tables is broken that may not be.
    func expectations(
        of staged: StagedBatch,
        _ totals: DatabricksDecoder.Totals
    ) throws -> [ExpectationResult] {
        let events = totals.rules.map { count in
            ExpectationResult(
                name: count.rule.rawValue,
                rule: count.rule.words,
                action: settings.decoding.actions[count.rule]?.stored ?? .warn,
                checked: count.checkedCount,
                failed: count.failedCount,
                samples: count.samples
            )
        }
        let silver = staged.rowCount(settings.silver)
        let gold = tables.reduce(0) {
            $0 + ($1.name.schema == settings.goldSchema ? staged.rowCount($1.name) : 0)
        }
        let quarantined = staged.rowCount(settings.quarantine)
        let bronzeCheck = check(
            .noRowsDropped,
            "bronze has every line, and silver and the quarantine have every record of it",
            holds: staged.rowCount(settings.bronze) == totals.lineCount
                && silver + quarantined == totals.recordCount,
            of: totals.recordCount,
            "\(totals.lineCount) lines, \(staged.rowCount(settings.bronze)) in bronze; \(totals.recordCount) records, \(silver) in silver, \(quarantined) in quarantine"
        )
        let goldCheck = check(
            .goldMatchesSilver,
            "the gold tables together have the rows of silver",
            holds: silver == gold,
            of: silver,
            "\(silver) rows in silver, \(gold) in gold"
        )
        let results = events + [bronzeCheck, goldCheck]
        if let broken = results.first(where: { $0.action == .fail && $0.failed > 0 }) {
            throw PipelineError(
                code: .expectationFailed,
                message:
                    "\(broken.name) is broken: \(broken.samples.joined(separator: "; ")); nothing of the batch was committed",
                mend:
                    "report it with the file that was read; `expectations: {\(broken.name): warn}` lets the batch through"
            )
        }
        return results
    }

    private func check(
        _ rule: DatabricksPipelineSettings.TableRule,
        _ words: String,
        holds: Bool,
        of checked: Int,
        _ sample: @autoclosure () -> String
    ) -> ExpectationResult {
        ExpectationResult(
            name: rule.rawValue,
            rule: words,
            action: settings.tableRules[rule] ?? .fail,
            checked: checked,
            failed: holds ? 0 : 1,
            samples: holds ? [] : [sample()]
        )
    }
}

extension EventRule {
    /// The rule in words.
    fileprivate var words: String {
        switch self {
        case .validWorkspaceID: "workspaceId is a whole number, not negative"
        case .timestampNotNull: "the event says when it happened"
        case .serviceNameNotNull: "the event names its service"
        case .actionNameNotNull: "the event names its action"
        }
    }
}

extension RuleAction {
    /// As plans and the table of expectations have it.
    fileprivate var stored: ExpectationResult.Action {
        switch self {
        case .warn: .warn
        case .drop: .drop
        case .fail: .fail
        }
    }
}

extension DatabricksDecoderSettings {
    /// As a plan keeps them.
    var stored: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// Reads what a plan has.
    ///
    /// - Throws: `PipelineError` with code `damagedState`.
    init(stored text: String) throws {
        guard let settings = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else {
            throw PipelineError(
                code: .damagedState,
                message: "the settings that a plan holds cannot be read",
                mend: "finish the batch with the release of auditlake that planned it"
            )
        }
        self = settings
    }
}
