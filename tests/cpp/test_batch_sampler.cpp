#include <gtest/gtest.h>

#include "caffe/data/batch_sampler.hpp"
#include "caffe/data/uniform.hpp"
#include "caffe/test/test_caffe_main.hpp"
#include "test_util.hpp"

namespace caffe {

namespace {

vector<BatchSampler> Samplers(const string& text) {
  const auto param = FromText<AnnotatedDataParameter>(text);
  for (int i = 0; i < param.batch_sampler_size(); ++i) CheckBatchSampler(param.batch_sampler(i), i);
  return {param.batch_sampler().begin(), param.batch_sampler().end()};
}

bool Meets(const string& limits, const Box<float>& crop, const vector<Box<float>>& objects) {
  return MeetsConstraint(FromText<SampleConstraint>(limits), crop, objects);
}

const Box<float> kLeft = {0, 0, 0.5F, 1};
const Box<float> kTopLeft = {0, 0, 0.5F, 0.5F};  // half of kLeft
const Box<float> kRight = {0.5F, 0, 1, 1};

}  // namespace

TEST(UniformTest, StaysWithinItsLimits) {
  std::mt19937 random(3);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const float value = DrawUniform(-1, 3, &random);
    ASSERT_TRUE(value >= -1 && value < 3) << value;
    sum += value;
  }
  // The mean of 10,000 has a standard deviation of 4 / √12 / 100 = 0.012.
  EXPECT_NEAR(sum / 10000, 1, 0.06);
  EXPECT_EQ(DrawUniform(2, 2, &random), 2);
  EXPECT_EQ(DrawUniform(0, -1e-8F, &random), 0);  // what rounding may ask for
  for (int i = 0; i < 1000; ++i) {
    // The next float above 1: half of the numbers round to the limit itself.
    ASSERT_EQ(DrawUniform(1, std::nextafter(1.0F, 2.0F), &random), 1);
    ASSERT_TRUE(DrawChance(1, &random));
    ASSERT_FALSE(DrawChance(0, &random));
  }
}

TEST(BatchSamplerTest, CropsLieInTheImageAndKeepTheirLimits) {
  const auto sampler =
      FromText<Sampler>("min_scale: 0.3 max_scale: 1 min_aspect_ratio: 0.5 max_aspect_ratio: 2");
  std::mt19937 random(1);
  float smallest = 1, largest = 0, widest = 0, narrowest = 9;
  for (int i = 0; i < 20000; ++i) {
    const Box<float> crop = DrawCrop(sampler, &random);
    ASSERT_TRUE(crop.xmin >= 0 && crop.ymin >= 0 && crop.xmax <= 1 && crop.ymax <= 1);
    const float scale = std::sqrt(Area(crop));
    const float ratio = Width(crop) / Height(crop);
    // Single precision: a few units in the last of 24 bits, divided by sides of at least 0.2.
    ASSERT_TRUE(scale > 0.3F - 1e-5F && scale < 1 + 1e-5F) << scale;
    ASSERT_TRUE(ratio > 0.5F - 1e-4F && ratio < 2 + 1e-4F) << ratio;
    smallest = std::min(smallest, scale);
    largest = std::max(largest, scale);
    widest = std::max(widest, ratio);
    narrowest = std::min(narrowest, ratio);
  }
  EXPECT_LT(smallest, 0.32F);
  EXPECT_GT(largest, 0.98F);
  EXPECT_LT(narrowest, 0.55F);
  EXPECT_GT(widest, 1.9F);
}

TEST(BatchSamplerTest, ExtremeLimitsGiveCropsAllTheSame) {
  std::mt19937 random(1);
  for (const char* limits :
       {"", "min_aspect_ratio: 1e-6 max_aspect_ratio: 1e6",
        "min_scale: 1e-6 max_scale: 1e-6 min_aspect_ratio: 1e-20 max_aspect_ratio: 1e20",
        "min_scale: 0.99999994 max_scale: 1 min_aspect_ratio: 0.3 max_aspect_ratio: 3"}) {
    for (int i = 0; i < 2000; ++i) {
      const Box<float> crop = DrawCrop(FromText<Sampler>(limits), &random);
      ASSERT_TRUE(crop.xmin >= 0 && crop.ymin >= 0 && crop.xmax <= 1 && crop.ymax <= 1) << limits;
      ASSERT_TRUE(crop.xmin <= crop.xmax && crop.ymin <= crop.ymax) << limits;
    }
  }
  const Box<float> whole = DrawCrop(Sampler(), &random);
  EXPECT_EQ(Area(whole), 1);
}

TEST(BatchSamplerTest, ConstraintsByHand) {
  // kLeft and kTopLeft share 1/4: overlap 1/2, the crop's part 1/2, the object's part 1.
  const vector<Box<float>> one = {kTopLeft};
  EXPECT_TRUE(Meets("", kLeft, {}));
  EXPECT_FALSE(Meets("min_jaccard_overlap: 0", kLeft, {}));
  EXPECT_TRUE(Meets("min_jaccard_overlap: 0.5", kLeft, one));
  EXPECT_FALSE(Meets("min_jaccard_overlap: 0.51", kLeft, one));
  EXPECT_TRUE(Meets("max_jaccard_overlap: 0.5", kLeft, one));
  EXPECT_FALSE(Meets("max_jaccard_overlap: 0.49", kLeft, one));
  EXPECT_TRUE(Meets("min_sample_coverage: 0.5 max_sample_coverage: 0.5", kLeft, one));
  EXPECT_FALSE(Meets("min_sample_coverage: 0.51", kLeft, one));
  EXPECT_FALSE(Meets("max_sample_coverage: 0.49", kLeft, one));
  EXPECT_TRUE(Meets("min_object_coverage: 1 max_object_coverage: 1", kLeft, one));
  EXPECT_FALSE(Meets("min_object_coverage: 0.51", kTopLeft, {kLeft}));
  EXPECT_FALSE(Meets("max_object_coverage: 0.49", kTopLeft, {kLeft}));
}

TEST(BatchSamplerTest, OneObjectMustMeetAllLimits) {
  const char* const limits = "min_jaccard_overlap: 0.4 max_object_coverage: 0.5";
  EXPECT_FALSE(Meets(limits, kLeft, {kTopLeft}));          // it is covered wholly
  EXPECT_FALSE(Meets(limits, kLeft, {kTopLeft, kRight}));  // each meets one of the limits
  EXPECT_TRUE(Meets(limits, kLeft, {kRight, {0, 0, 1, 1}}));
}

TEST(BatchSamplerTest, FindsAsManyAsAskedFor) {
  std::mt19937 random(1);
  const vector<Box<float>> objects = {{0.4F, 0.4F, 0.6F, 0.6F}};
  const char* const small = "sampler { min_scale: 0.1 max_scale: 0.5 }";
  const auto count = [&](const string& rest, const vector<Box<float>>& boxes) {
    return SampleCrops(Samplers("batch_sampler { " + rest + " }"), boxes, &random).size();
  };
  EXPECT_EQ(count("max_sample: 1 max_trials: 1", {}), 1u);
  EXPECT_EQ(count("max_sample: 7", {}), 7u);
  EXPECT_EQ(count("", {}), 100u);  // the default of max_trials
  EXPECT_EQ(count("max_sample: 0", {}), 0u);
  EXPECT_EQ(count("max_trials: 0", objects), 0u);
  EXPECT_EQ(count("use_original_image: false", objects), 0u);
  EXPECT_EQ(count(string(small) + " sample_constraint { min_object_coverage: 1 } max_sample: 3 "
                                  "max_trials: 100000",
                  objects),
            3u);
  // Impossible: it ends after max_trials, and there is no crop.
  EXPECT_EQ(count(string(small) + " sample_constraint { min_jaccard_overlap: 1 }", objects), 0u);
  EXPECT_EQ(count("sample_constraint { min_jaccard_overlap: 0.1 }", {}), 0u);
}

TEST(BatchSamplerTest, EveryCropMeetsItsSamplersConstraint) {
  std::mt19937 random(5);
  const vector<Box<float>> objects = {{0.1F, 0.1F, 0.3F, 0.4F}, {0.5F, 0.5F, 0.9F, 0.6F}};
  const vector<BatchSampler> samplers = Samplers(
      "batch_sampler { sampler { min_scale: 0.1 max_scale: 1 min_aspect_ratio: 0.5 "
      "max_aspect_ratio: 2 } sample_constraint { min_jaccard_overlap: 0.3 } max_trials: 5000 }");
  const vector<Box<float>> crops = SampleCrops(samplers, objects, &random);
  EXPECT_GT(crops.size(), 10u);
  for (const Box<float>& crop : crops) {
    EXPECT_GE(std::max(JaccardOverlap(crop, objects[0]), JaccardOverlap(crop, objects[1])), 0.3F);
  }
}

TEST(BatchSamplerTest, LimitsWithoutSenseAreErrors) {
  EXPECT_CAFFE_ERROR(Samplers("batch_sampler { sampler { min_scale: nan } }"),
                     "min_scale nan is above max_scale 1");
  EXPECT_CAFFE_ERROR(Samplers("batch_sampler { sampler { min_aspect_ratio: 3 } }"),
                     "min_aspect_ratio 3 is above max_aspect_ratio 1");
  EXPECT_CAFFE_ERROR(Samplers("batch_sampler { sample_constraint { min_object_coverage: nan } }"),
                     "min_object_coverage nan is above max_object_coverage inf");
  EXPECT_CAFFE_ERROR(Samplers("batch_sampler { sample_constraint { min_sample_coverage: 0.5 "
                              "max_sample_coverage: 0.4 } }"),
                     "min_sample_coverage 0.5 is above max_sample_coverage 0.4");
}

}  // namespace caffe
