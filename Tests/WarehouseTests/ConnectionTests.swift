import Testing

@testable import Warehouse

@Suite struct ConnectionTests {
    private func settings(_ url: String) -> ServerConnection.Settings {
        ServerConnection.Settings(name: "dwh", url: url, isCancelled: { false })
    }

    @Test("a password is masked however it comes back")
    func masking() throws {
        let url = "postgresql://loader:p%40ss-w0rd@host:5432/db?sslpassword=k3y"
        let (secrets, patience) = try Secrets.read(settings(url))
        #expect(patience == 10)
        #expect(
            secrets.masked("FATAL:  password p@ss-w0rd is\nwrong, key k3y, \(url)")
                == "FATAL:  password *** is wrong, key ***, ***"
        )
    }

    @Test("a url gives the server time to answer")
    func patience() throws {
        #expect(try Secrets.read(settings("host=h connect_timeout=3")).patience == 3)
        #expect(try Secrets.read(settings("host=h connect_timeout=1")).patience == 2)
    }

    @Test(
        "a url that libpq cannot read is refused without its text",
        arguments: [
            "postgresql://u:s3cret@[::1/x", "postgresql://u:s3cret%zz@h/x", "s3cret", "host=h nosuch=s3cret",
        ]
    )
    func wrongURL(url: String) {
        let error = #expect(throws: WarehouseError.self) { _ = try Secrets.read(settings(url)) }
        #expect(error?.code == .setting)
        #expect(error.map { "\($0)\($0.mend)".contains("s3cret") } == false)
    }

    @Test("a server that is not there is worth another try")
    func noServer() {
        let error = #expect(throws: WarehouseError.self) {
            _ = try ServerConnection.open(settings("postgresql://u:s3cret@127.0.0.1:1/x"))
        }
        #expect(error?.code == .unreachable)
        #expect(error?.isTransient == true)
        #expect(error?.message.contains("s3cret") == false)
    }
}
