"""Caffe's messages and enums, made at import from the runtime's own schema.

There is no generated file, so no protobuf release is pinned (4 and later
work), and the messages live in a descriptor pool of their own: another
package's caffe_pb2 in the same process does not clash with this one.
"""

from caffe._schema import define_schema

define_schema(globals())
