import Cryptography
import Glibc
import Testing

@Suite("Ownership")
struct OwnershipTests {
    @Test(
        "what root makes in a directory of another's belongs to that user, and elsewhere to root",
        .enabled(if: geteuid() == 0, "only root can give a file away"))
    func inherited() throws {
        let directory = try TemporaryDirectory()
        let service = directory.file("service")
        for (owner, group) in [(UInt32(0), UInt32(0)), (65_534, 65_533)] {
            #expect(mkdir(service, 0o700) == 0)
            #expect(chown(service, owner, group) == 0)
            try CredentialFile.create("\(service)/agent.key", [1], mode: CredentialFile.secretMode)
            #expect(mkdir("\(service)/models", 0o700) == 0)
            Ownership.inherit(directory: "\(service)/models")
            for name in ["agent.key", "models"] {
                var status = stat()
                #expect(stat("\(service)/\(name)", &status) == 0)
                #expect(status.st_uid == owner && status.st_gid == group, "\(name)")
            }
            unlink("\(service)/agent.key")
            rmdir("\(service)/models")
            rmdir(service)
        }
    }

    @Test(
        "a symbolic link in the place of a directory gives away nothing",
        .enabled(if: geteuid() == 0, "only root can give a file away"))
    func link() throws {
        let directory = try TemporaryDirectory()
        let service = directory.file("service")
        let target = directory.file("target")
        #expect(mkdir(service, 0o700) == 0 && mkdir(target, 0o700) == 0)
        #expect(chown(service, 65_534, 65_534) == 0)
        #expect(symlink(target, "\(service)/models") == 0)
        Ownership.inherit(directory: "\(service)/models")
        var status = stat()
        #expect(stat(target, &status) == 0)
        #expect(status.st_uid == 0)
    }
}
