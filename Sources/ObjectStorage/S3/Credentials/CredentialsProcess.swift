import Foundation

/// A command that prints credentials: `credential_process` of a profile.
enum CredentialsProcess {
    /// The longest a command may take.
    private static let limit = DispatchTimeInterval.seconds(60)

    /// Runs a command by the shell and reads what it prints.
    ///
    /// - Throws: `S3Error` with code `noCredentials`; what the command prints is not quoted.
    static func run(_ command: String, profile: String) throws -> S3Credentials {
        let place = "profile \(profile)"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw S3Error.noCredentials("credential_process cannot be run: \(error)", at: place)
        }
        let stop = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: stop)
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        stop.cancel()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw S3Error.noCredentials(
                "credential_process ended with status \(process.terminationStatus)",
                at: place
            )
        }
        return try CredentialsDocument.credentials(Array(printed), from: place)
    }
}
