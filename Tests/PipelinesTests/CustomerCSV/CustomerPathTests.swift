import Pipelines
import Testing

@Suite struct CustomerPathTests {
    @Test(arguments: [
        ("csv/{customer}/", "/data/csv/acme/2026/a.csv", "acme"),
        ("csv/{customer}/", "s3://bucket/csv/acme/a.csv", "acme"),
        ("csv/{customer}/", "/csv/csv/x.csv", "csv"),
        ("csv/{customer}/", "/csv/a/csv/b/x.csv", "b"),
        ("{customer}/", "/data/acme/a.csv", "acme"),
        ("csv/*/{customer}/", "/csv/2026/acme/a.csv", "acme"),
        ("{customer}_audit.csv", "/data/acme_audit.csv", "acme"),
        ("in/{customer}-log.csv", "/in/a-b-log.csv", "a-b"),
        ("customer={customer}/", "/x/customer=acme & co/date=1/a.csv", "acme & co"),
        ("{customer}.csv", "/in/société.csv", "société"),
    ])
    func theCustomerStandsInThePath(pattern: String, key: String, customer: String) throws {
        let path = try #require(CustomerPath(pattern))
        #expect(path.customer(of: key) == customer)
    }

    @Test(arguments: [
        ("csv/{customer}/", "/data/csv/a.csv"), ("csv/{customer}/", "/csv/a"), ("csv/{customer}/", ""),
        ("{customer}_audit.csv", "/data/_audit.csv"), ("{customer}_audit.csv", "/acme_audit.csv/other.csv"),
        ("csv/{customer}.csv", "/csv/x/acme.csv"),
    ])
    func aPathThatDoesNotFitHasNoCustomer(pattern: String, key: String) throws {
        #expect(try #require(CustomerPath(pattern)).customer(of: key) == nil)
    }

    @Test(arguments: ["", "csv/", "{customer}/{customer}/", "{customer}{customer}"])
    func aPatternNamesTheCustomerOnce(pattern: String) { #expect(CustomerPath(pattern) == nil) }
}
