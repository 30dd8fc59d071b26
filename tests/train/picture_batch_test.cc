// How much the cells of a map count where pictures leave room.
#include "train/stages/picture_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glimpse::train {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PictureBatch, OnlyWhereAPictureFitsItsInputDoSomeCellsNotCount) {
  Preprocess input{.width = 40, .height = 20};
  std::vector<float> masks;
  for (const auto resize : {Preprocess::Resize::kStretch, Preprocess::Resize::kCentreCrop}) {
    input.resize = resize;
    add_mask(input, {2, 4}, 30, 30, false, masks);
  }
  EXPECT_THAT(masks, IsEmpty());
  input.resize = Preprocess::Resize::kFit;
  add_mask(input, {2, 4}, 30, 30, false, masks);  // its 20 × 20 pixels begin at column 10
  EXPECT_THAT(masks, ElementsAre(0, 1, 1, 0, 0, 1, 1, 0));
}

TEST(PictureBatch, AMirrorImageHasItsPaddingOnTheOtherSide) {
  const Preprocess input{.width = 40, .height = 20, .resize = Preprocess::Resize::kFit};
  std::vector<float> mask;
  std::vector<float> mirrored;
  add_mask(input, {1, 4}, 21, 20, false, mask);  // columns 9 to 29
  add_mask(input, {1, 4}, 21, 20, true, mirrored);
  EXPECT_THAT(mask, ElementsAre(1, 1, 1, 0));
  EXPECT_THAT(mirrored, ElementsAre(0, 1, 1, 1));
}

}  // namespace
}  // namespace glimpse::train
