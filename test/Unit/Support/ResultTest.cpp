//===- ResultTest.cpp - a value or an error message ---------------------------------------------------------------===//

#include "winnow/Support/Result.h"

#include <gtest/gtest.h>

#include <memory>

using namespace winnow;

TEST(Result, HoldsAValue) {
  Result<int> result = 7;
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 7);
}

TEST(Result, HoldsAnError) {
  Result<int> result = Error{"expected 1 token, got 0"};
  ASSERT_FALSE(result);
  EXPECT_EQ(result.message(), "expected 1 token, got 0");
}

TEST(Result, KeepsValueAndErrorApartWhereTheyHaveOneType) {
  Result<std::string> value = std::string("text");
  EXPECT_TRUE(value.ok());
  Result<std::string> error = Error{"text"};
  EXPECT_FALSE(error.ok());
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 3);
}

TEST(Status, IsSuccessByDefaultAndFailureFromAnError) {
  EXPECT_TRUE(Status().ok());
  Status status = Error{"no driver"};
  EXPECT_FALSE(status);
  EXPECT_EQ(status.message(), "no driver");
}
