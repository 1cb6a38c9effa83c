#include <cstdio>
#include <fstream>
#include <string>

#include "caffe/util/io.hpp"
#include "caffe/util/label_map.hpp"
#include "test_util.hpp"

namespace caffe {
namespace {

class LabelMapTest : public ::testing::Test {
 protected:
  LabelMapTest() { MakeTempFilename(&file_); }
  ~LabelMapTest() override { std::remove(file_.c_str()); }
  ClassNames Read(const string& text) const {
    std::ofstream(file_) << text;
    return ReadLabelMap(file_);
  }
  string file_;
};

const char kTwo[] = "item { name: 'none' label: 0 } item { name: 'n1' label: 1 } ";

TEST_F(LabelMapTest, GivesNamesByLabel) {
  const ClassNames names = Read(string(kTwo) + "item { name: 'n7' label: 7 display_name: 'cat' }");
  ASSERT_EQ(names.size(), 3U);
  EXPECT_EQ(names.at(1).display_name, "n1");
  EXPECT_EQ(names.at(7).name, "n7");
  EXPECT_EQ(names.at(7).display_name, "cat");
}

TEST_F(LabelMapTest, SaysWhatIsWrong) {
  EXPECT_CAFFE_ERROR(Read(string(kTwo) + "item { name: 'x' label: 1 }"),
                     "label map " + file_ + ": label 1 is both \"n1\" and \"x\"");
  EXPECT_CAFFE_ERROR(Read(string(kTwo) + "item { name: 'n1' label: 2 }"),
                     "the name \"n1\" is given twice");
  EXPECT_CAFFE_ERROR(Read(string(kTwo) + "item { label: 2 }"), "item 2 needs a name and a label");
  EXPECT_CAFFE_ERROR(Read("# none\n"), "has no class");
  EXPECT_CAFFE_ERROR(ReadLabelMap("/no/map"), "/no/map: cannot be read");
}

TEST_F(LabelMapTest, NamesEveryClassButTheBackground) {
  const ClassNames names = Read("item { name: 'a' label: 1 } item { name: 'b' label: 3 }");
  CheckNamesEveryClass(names, "m", 2, 0);
  EXPECT_CAFFE_ERROR(CheckNamesEveryClass(names, "m", 2, -1), "has no class of label 0");
  EXPECT_CAFFE_ERROR(CheckNamesEveryClass(names, "m", 4, 0),
                     "label map m has no class of label 2; num_classes 4 needs the labels 0 to 3, "
                     "got 2 class(es) with labels from 1 to 3");
}

}  // namespace
}  // namespace caffe
