//===- Artifact.h - a program as a file ---------------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_ARTIFACT_H
#define WINNOW_RUNTIME_ARTIFACT_H

#include "winnow/Runtime/Program.h"
#include "winnow/Support/Result.h"

#include <string>
#include <vector>

namespace winnow::rt {

/// The bytes of a .wnw file: magic, format version, the program, and a SHA-256 of all that precedes it. Equal
/// programs give equal bytes. What several plans share (images, texts) is stored once.
std::vector<uint8_t> serialize(const Program &program);

/// Whether the bytes begin as an artifact does, of whatever version.
bool isArtifact(const uint8_t *data, size_t size);

/// Reads what `serialize` wrote. Rejects, with a message that says which: not an artifact, another format version,
/// truncated, hash mismatch, indices out of range. `origin` names the source in messages (a path).
Result<Program> deserialize(const uint8_t *data, size_t size, const std::string &origin);

/// Writes to `path` by way of a temporary file in the same folder and a rename, so that no partial file is ever seen.
Status writeArtifact(const Program &program, const std::string &path);
Result<Program> readArtifact(const std::string &path);

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_ARTIFACT_H
