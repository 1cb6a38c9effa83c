// The schema against a list of what Caffe-SSD, SSD-Centerloss and RefineDet have.

#include <google/protobuf/descriptor.h>

#include <cstdio>
#include <set>

#include "caffe/proto/caffe.pb.h"
#include "caffe/test/test_caffe_main.hpp"

namespace caffe {
namespace {

namespace pb = ::google::protobuf;

/** A line of the list: a field, or a value of an enum (label "enum"). */
struct Row {
  string message, name, number, label, type, value, packed, origin;
  string Key() const { return message + "." + name; }
  string Facts() const {
    return "number " + number + ", " + label + " " + type + ", default \"" + value + "\"" +
           (packed.empty() ? "" : ", packed");
  }
};

vector<Row> ReadList(const string& path) {
  std::ifstream file(path);
  vector<Row> rows;
  string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    vector<string> cells(1);
    for (const char c : line) {
      if (c == '\t') {
        cells.emplace_back();
      } else if (c != '\r') {
        cells.back() += c;
      }
    }
    if (cells.size() != 8) continue;
    rows.push_back(
        {cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7]});
  }
  return rows;
}

string WithoutPackage(const string& full_name) { return full_name.substr(6); }  // "caffe."

string TypeName(const pb::FieldDescriptor& field) {
  if (field.message_type() != nullptr) return WithoutPackage(field.message_type()->full_name());
  if (field.enum_type() != nullptr) return WithoutPackage(field.enum_type()->full_name());
  return field.type_name();
}

string Shortest(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

string DefaultOf(const pb::FieldDescriptor& field) {
  if (!field.has_default_value()) return "";
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_BOOL:
      return field.default_value_bool() ? "true" : "false";
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(field.default_value_int32());
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(field.default_value_int64());
    case pb::FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(field.default_value_uint32());
    case pb::FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(field.default_value_uint64());
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
      return Shortest(static_cast<double>(field.default_value_float()));
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return Shortest(field.default_value_double());
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return field.default_value_enum()->name();
    default:
      return field.default_value_string();
  }
}

void AddEnum(const pb::EnumDescriptor& type, map<string, Row>* rows) {
  const string name = WithoutPackage(type.full_name());
  for (int i = 0; i < type.value_count(); ++i) {
    const Row row = {
        name, type.value(i)->name(), std::to_string(type.value(i)->number()), "enum", "", "", "",
        ""};
    (*rows)[row.Key()] = row;
  }
}

void AddMessage(const pb::Descriptor& message, map<string, Row>* rows) {
  for (int i = 0; i < message.field_count(); ++i) {
    const pb::FieldDescriptor& field = *message.field(i);
    const char* label = field.is_repeated() ? "repeated" : "optional";
    const Row row = {WithoutPackage(message.full_name()),
                     field.name(),
                     std::to_string(field.number()),
                     field.is_required() ? "required" : label,
                     TypeName(field),
                     DefaultOf(field),
                     field.is_packed() ? "packed" : "",
                     ""};
    (*rows)[row.Key()] = row;
  }
  for (int i = 0; i < message.enum_type_count(); ++i) AddEnum(*message.enum_type(i), rows);
  for (int i = 0; i < message.nested_type_count(); ++i) AddMessage(*message.nested_type(i), rows);
}

/** Everything that the compiled schema has. */
map<string, Row> Schema() {
  map<string, Row> rows;
  const pb::FileDescriptor& file = *NetParameter::descriptor()->file();
  for (int i = 0; i < file.message_type_count(); ++i) AddMessage(*file.message_type(i), &rows);
  for (int i = 0; i < file.enum_type_count(); ++i) AddEnum(*file.enum_type(i), &rows);
  return rows;
}

/** The one place where two branches collide: RefineDet keeps number 24, this field moves. */
bool IsMoved(const Row& row) {
  return row.Key() == "MultiBoxLossParameter.center_loss_weight" && row.origin == "bob";
}

void CompareWith(const vector<Row>& list) {
  const map<string, Row> schema = Schema();
  ASSERT_GT(list.size(), 700u);
  for (Row expected : list) {
    const auto found = schema.find(expected.Key());
    if (found == schema.end()) {
      ADD_FAILURE() << expected.Key() << " is missing";
      continue;
    }
    if (IsMoved(expected)) expected.number = "8024";
    EXPECT_EQ(found->second.Facts(), expected.Facts()) << expected.Key();
  }
}

TEST(SchemaTest, HasWhatTheBranchesHave) { CompareWith(ReadList(CAFFE_TEST_DATA "/schema.tsv")); }

TEST(SchemaTest, ListIsTheSharedOne) {
  const vector<Row> shared = ReadList(CAFFE_TEST_DATA "/../../../shared/compat/schema.tsv");
  if (shared.empty()) GTEST_SKIP() << "no compatibility data beside the checkout";
  CompareWith(shared);
}

TEST(SchemaTest, OwnFieldsHaveNumbersThatNoBranchUses) {
  // Later versions of Caffe have these under the same numbers.
  const std::set<string> later = {"LayerParameter.clip_param", "PoolingParameter.round_mode",
                                  "PoolingParameter.RoundMode", "InfogainLossParameter.axis"};
  // Messages and enums that no listed branch has may number as they like.
  const std::set<string> own_messages = {"ClipParameter", "SwishParameter", "LayerState",
                                         "Precision"};
  std::set<string> listed;
  for (const Row& row : ReadList(CAFFE_TEST_DATA "/schema.tsv")) listed.insert(row.Key());
  for (const auto& entry : Schema()) {
    const Row& row = entry.second;
    if (listed.count(row.Key()) > 0 || later.count(row.Key()) > 0) continue;
    if (later.count(row.message) > 0 || own_messages.count(row.message) > 0) continue;
    EXPECT_NE(row.label, "enum") << row.Key() << " adds a value to a shared enum";
    EXPECT_GE(std::stoi(row.number), 8000) << row.Key();
  }
}

TEST(SchemaTest, NumbersThatBranchesUseForDifferentFields) {
  EXPECT_EQ(MultiBoxLossParameter::kObjectnessScoreFieldNumber, 24);     // RefineDet
  EXPECT_EQ(MultiBoxLossParameter::kCenterLossWeightFieldNumber, 8024);  // 24 in SSD-Centerloss
  EXPECT_EQ(LayerParameter::kFocalLossParamFieldNumber, 147);            // SSD-Centerloss
  EXPECT_EQ(LayerParameter::kSwishParamFieldNumber, 8147);               // 147 in later Caffe
  EXPECT_EQ(LayerParameter::kCenterLossParamFieldNumber, 149);           // 147 in caffe-face
}

}  // namespace
}  // namespace caffe
