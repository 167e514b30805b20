//===- EmbeddedFile.h - a text file inside the binary -------------------------------------------------------------===//
//
// cmake/EmbedText.cmake writes arrays of these.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_SUPPORT_EMBEDDEDFILE_H
#define WINNOW_SUPPORT_EMBEDDEDFILE_H

namespace winnow {

struct EmbeddedFile {
  const char *name; ///< without folders: "types.cuh"
  const char *text;
};

} // namespace winnow

#endif // WINNOW_SUPPORT_EMBEDDEDFILE_H
