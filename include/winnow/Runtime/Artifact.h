//===- Artifact.h - a plan as a file ------------------------------------------------------------------------------===//

#ifndef WINNOW_RUNTIME_ARTIFACT_H
#define WINNOW_RUNTIME_ARTIFACT_H

#include "winnow/Runtime/Plan.h"
#include "winnow/Support/Result.h"

#include <string>
#include <vector>

namespace winnow::rt {

/// The bytes of a .wnw file: magic, format version, the plan, and a SHA-256 of all that precedes it.
std::vector<uint8_t> serialize(const Plan &plan);

/// Whether the bytes begin as an artifact does, of whatever version.
bool isArtifact(const uint8_t *data, size_t size);

/// Reads what `serialize` wrote. Rejects, with a message that says which: not an artifact, another format version,
/// truncated, hash mismatch, indices out of range. `origin` names the source in messages (a path).
Result<Plan> deserialize(const uint8_t *data, size_t size, const std::string &origin);

/// Writes to `path` by way of a temporary file in the same folder and a rename, so that no partial file is ever seen.
Status writeArtifact(const Plan &plan, const std::string &path);
Result<Plan> readArtifact(const std::string &path);

} // namespace winnow::rt

#endif // WINNOW_RUNTIME_ARTIFACT_H
