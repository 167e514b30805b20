//===- Disassembler.cpp - machine code as text --------------------------------------------------------------------===//

#include "Disassembler.h"
#include "Tool.h"

#include "winnow/Support/Environment.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace winnow;
using namespace winnow::tool;

/// Adds `folder`/lib/python3.X/site-packages/nvidia/*/bin for every X and package there is.
static void addWheelFolders(llvm::StringRef environment, llvm::SmallVectorImpl<std::string> &folders) {
  std::error_code code;
  for (llvm::sys::fs::directory_iterator python(environment + "/lib", code), end; !code && python != end;
       python.increment(code)) {
    std::error_code inner;
    for (llvm::sys::fs::directory_iterator package(python->path() + "/site-packages/nvidia", inner), last;
         !inner && package != last; package.increment(inner))
      folders.push_back(package->path() + "/bin");
  }
}

Result<std::string> tool::findDisassembler() {
  Environment environment = Environment::read();
  llvm::SmallVector<std::string> folders;
  if (!environment.cudaHome.empty() && environment.cudaHome != "/usr/local/cuda")
    folders.push_back(environment.cudaHome + "/bin");
  folders.push_back("/usr/local/cuda/bin");
  if (!environment.virtualEnv.empty())
    addWheelFolders(environment.virtualEnv, folders);
  if (auto found = llvm::sys::findProgramByName("cuobjdump"))
    return *found;
  llvm::SmallVector<llvm::StringRef> names(folders.begin(), folders.end());
  if (auto found = llvm::sys::findProgramByName("cuobjdump", names))
    return *found;
  return Error{"could not find cuobjdump, which shows machine code; tried PATH, " + llvm::join(folders, ", ") +
               "; install the CUDA toolkit or the wheel nvidia-cuda-cuobjdump"};
}

Result<std::string> tool::disassemble(const rt::Image &image) {
  Result<std::string> program = findDisassembler();
  if (!program)
    return program;
  llvm::SmallString<128> cubin, output;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile("winnow", "cubin", cubin))
    return Error{"could not create a temporary file: " + code.message()};
  llvm::FileRemover removeCubin(cubin);
  if (std::error_code code = llvm::sys::fs::createTemporaryFile("winnow", "sass", output))
    return Error{"could not create a temporary file: " + code.message()};
  llvm::FileRemover removeOutput(output);
  if (Status status = writeWhole(cubin, {reinterpret_cast<const char *>(image.cubin.data()), image.cubin.size()});
      !status)
    return status.error();

  std::string message;
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(""), llvm::StringRef(output), llvm::StringRef(output)};
  int code = llvm::sys::ExecuteAndWait(*program, {*program, "-sass", cubin}, std::nullopt, redirects,
                                       /*SecondsToWait=*/120, /*MemoryLimit=*/0, &message);
  Result<std::string> text = readWhole(output);
  if (!text)
    return text;
  if (code != 0)
    return Error{*program + " failed on kernel '" + image.name + "': " + (message.empty() ? *text : message)};
  return text;
}
