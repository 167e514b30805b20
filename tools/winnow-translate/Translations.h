//===- Translations.h - what winnow-translate can do --------------------------------------------------------------===//
//
// One function per translation, each in a file of its own.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef WINNOW_TOOLS_WINNOW_TRANSLATE_TRANSLATIONS_H
#define WINNOW_TOOLS_WINNOW_TRANSLATE_TRANSLATIONS_H

namespace winnow {

/// --interpret: evaluates every function without arguments and reports failed checks at their location.
void registerInterpretTranslation();

/// --kern-to-cuda: CUDA C++ of kernels. --kern-to-plan: the launch plan of a program as text.
void registerKernTranslations();

} // namespace winnow

#endif // WINNOW_TOOLS_WINNOW_TRANSLATE_TRANSLATIONS_H
