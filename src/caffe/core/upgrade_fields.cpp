#include "caffe/core/proto_fields.hpp"
#include "caffe/util/logging.hpp"

namespace caffe {
namespace {

namespace pb = ::google::protobuf;
typedef pb::FieldDescriptor Field;

/** Writes what `read` gives for 0 … count-1 with Set… or Add…, as the field wants it. */
template <typename Read, typename Set, typename Add>
void CopyValues(int count, const Read& read, bool to_repeated, const Set& set, const Add& add) {
  for (int i = 0; i < count; ++i) {
    if (to_repeated) {
      add(read(i));
    } else {
      set(read(i));
    }
  }
}

struct Copier {
  const pb::Message& from;
  const Field& source;
  pb::Message* to;
  const Field& target;
  const pb::Reflection& read = *from.GetReflection();
  const pb::Reflection& write = *to->GetReflection();

  int Count() const { return source.is_repeated() ? read.FieldSize(from, &source) : 1; }

  void Enum() const {
    for (int i = 0; i < Count(); ++i) {
      const auto* value = source.is_repeated() ? read.GetRepeatedEnum(from, &source, i)
                                               : read.GetEnum(from, &source);
      const auto* same = target.enum_type()->FindValueByName(value->name());
      CHECK(same != nullptr) << target.full_name() << " has no value " << value->name();
      if (target.is_repeated()) {
        write.AddEnum(to, &target, same);
      } else {
        write.SetEnum(to, &target, same);
      }
    }
  }

  void Submessage() const {
    for (int i = 0; i < Count(); ++i) {
      const auto& value = source.is_repeated() ? read.GetRepeatedMessage(from, &source, i)
                                               : read.GetMessage(from, &source);
      (target.is_repeated() ? write.AddMessage(to, &target) : write.MutableMessage(to, &target))
          ->CopyFrom(value);
    }
  }
};

#define CAFFE_COPY_CASE(TYPE, Name)                                                     \
  case Field::CPPTYPE_##TYPE:                                                           \
    CopyValues(                                                                         \
        copier.Count(),                                                                 \
        [&](int i) {                                                                    \
          return source.is_repeated() ? copier.read.GetRepeated##Name(from, &source, i) \
                                      : copier.read.Get##Name(from, &source);           \
        },                                                                              \
        target.is_repeated(),                                                           \
        [&](const auto& value) { copier.write.Set##Name(to, &target, value); },         \
        [&](const auto& value) { copier.write.Add##Name(to, &target, value); });        \
    return

void CopySameType(const pb::Message& from, const Field& source, pb::Message* to,
                  const Field& target) {
  const Copier copier{from, source, to, target};
  switch (source.cpp_type()) {
    CAFFE_COPY_CASE(INT32, Int32);
    CAFFE_COPY_CASE(INT64, Int64);
    CAFFE_COPY_CASE(UINT32, UInt32);
    CAFFE_COPY_CASE(UINT64, UInt64);
    CAFFE_COPY_CASE(FLOAT, Float);
    CAFFE_COPY_CASE(DOUBLE, Double);
    CAFFE_COPY_CASE(BOOL, Bool);
    CAFFE_COPY_CASE(STRING, String);
    case Field::CPPTYPE_ENUM:
      return copier.Enum();
    case Field::CPPTYPE_MESSAGE:
      return copier.Submessage();
  }
}

#undef CAFFE_COPY_CASE

}  // namespace

std::vector<const Field*> SetFields(const pb::Message& message) {
  std::vector<const Field*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields;
}

void CopyField(const pb::Message& from, const Field& field, const std::string& target,
               pb::Message* to) {
  const size_t dot = target.find('.');
  const Field* place = to->GetDescriptor()->FindFieldByName(target.substr(0, dot));
  CHECK(place != nullptr) << to->GetDescriptor()->name() << " has no field " << target;
  if (dot != std::string::npos) {
    CopyField(from, field, target.substr(dot + 1), to->GetReflection()->MutableMessage(to, place));
    return;
  }
  if (field.cpp_type() == Field::CPPTYPE_INT32 && place->cpp_type() == Field::CPPTYPE_UINT32 &&
      !field.is_repeated() && !place->is_repeated()) {
    const int32_t value = from.GetReflection()->GetInt32(from, &field);
    CHECK(value >= 0) << field.name() << " is " << value << ", expected 0 or more";
    to->GetReflection()->SetUInt32(to, place, static_cast<uint32_t>(value));
    return;
  }
  CHECK(place->cpp_type() == field.cpp_type())
      << field.full_name() << " does not fit into " << place->full_name();
  CopySameType(from, field, to, *place);
}

}  // namespace caffe
