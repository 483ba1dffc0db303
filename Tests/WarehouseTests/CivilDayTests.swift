import Testing

@testable import Warehouse

@Suite struct CivilDayTests {
    @Test(
        "days since 1970",
        arguments: [
            ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2026-11-22", 20_779),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] as [(String, Int32)]
    )
    func days(text: String, day: Int32) { #expect(civilDay(text) == day) }

    @Test(
        "what is no date",
        arguments: ["", "2026-1-1", "2026-13-01", "20261101", "2026-01-01T00", "2026-00-10"]
    )
    func noDate(text: String) { #expect(civilDay(text) == nil) }
}
