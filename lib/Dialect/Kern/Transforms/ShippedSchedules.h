//===- ShippedSchedules.h - text of the databases in Tuned --------------------------------------------------------===//

#ifndef WINNOW_LIB_DIALECT_KERN_TRANSFORMS_SHIPPEDSCHEDULES_H
#define WINNOW_LIB_DIALECT_KERN_TRANSFORMS_SHIPPEDSCHEDULES_H

#include "winnow/Support/EmbeddedFile.h"

namespace winnow::kern {

extern const EmbeddedFile kShippedFiles[];
extern const unsigned kShippedFileCount;

} // namespace winnow::kern

#endif // WINNOW_LIB_DIALECT_KERN_TRANSFORMS_SHIPPEDSCHEDULES_H
