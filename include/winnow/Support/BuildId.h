//===- BuildId.h - which Winnow this is ---------------------------------------------------------------------------===//

#ifndef WINNOW_SUPPORT_BUILDID_H
#define WINNOW_SUPPORT_BUILDID_H

namespace winnow {

/// Version and a hash of the sources, as "0.1.0+4f1c0a9be2d7": equal for equal compilers. Part of the key of every
/// kernel-cache entry and recorded in every artifact. In the library WinnowBuildId.
const char *buildId();

} // namespace winnow

#endif // WINNOW_SUPPORT_BUILDID_H
