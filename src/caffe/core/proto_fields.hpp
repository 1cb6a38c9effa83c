#ifndef CAFFE_CORE_PROTO_FIELDS_HPP_
#define CAFFE_CORE_PROTO_FIELDS_HPP_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace caffe {

/** @brief The fields that a message has, repeated ones with at least one value. */
std::vector<const google::protobuf::FieldDescriptor*> SetFields(
    const google::protobuf::Message& message);

/**
 * @brief Copies a field to another one of the same type (or from int32 to
 * uint32, if it is not negative), in another message.
 *
 * @param target the name of the field in `to`, or a path "convolution_param.pad";
 * a singular field is appended to a repeated one, enum values go by name
 * @throws Error if there is no such target, or its type does not fit
 */
void CopyField(const google::protobuf::Message& from,
               const google::protobuf::FieldDescriptor& field, const std::string& target,
               google::protobuf::Message* to);

}  // namespace caffe

#endif  // CAFFE_CORE_PROTO_FIELDS_HPP_
