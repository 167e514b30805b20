//===- DeviceLibrary.h - text of the device library ---------------------------------------------------------------===//
//
// The files of lib/Target/Cuda/Device, embedded in the binary: NVRTC compiles kernels without any file on disk.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TARGET_CUDA_DEVICELIBRARY_H
#define WINNOW_TARGET_CUDA_DEVICELIBRARY_H

#include "winnow/Support/EmbeddedFile.h"

namespace winnow::cuda {

extern const EmbeddedFile kDeviceFiles[];
extern const unsigned kDeviceFileCount;

} // namespace winnow::cuda

#endif // WINNOW_TARGET_CUDA_DEVICELIBRARY_H
