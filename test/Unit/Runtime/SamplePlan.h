//===- SamplePlan.h - a small plan that uses everything a plan can say --------------------------------------------===//

#ifndef WINNOW_TEST_UNIT_RUNTIME_SAMPLEPLAN_H
#define WINNOW_TEST_UNIT_RUNTIME_SAMPLEPLAN_H

#include "winnow/Runtime/Program.h"

/// x [T, 64] and w [64, 256] to y [T, 256] in bf16, with two workspace buffers, a constant, a fill, two kernels in one
/// image (a persistent product with two tensor maps and an exact-grid map) and a copy to a second output.
winnow::rt::Plan samplePlan();

/// Three plans of that function. Up to 64 tokens: another product, `small_1`, of an image of its own, on panels of 64 rows;
/// up to 1024: samplePlan(); then: the same machine code, with more shared memory and one CTA per tile.
winnow::rt::Program sampleProgram();

/// Sizes of the parameters of the plan's kernels, for the fake driver.
#define SAMPLE_PRODUCT_SIGNATURE {128, 128, 8, 8, 8, 4}
#define SAMPLE_MAP_SIGNATURE {8, 8, 4}

#endif // WINNOW_TEST_UNIT_RUNTIME_SAMPLEPLAN_H
