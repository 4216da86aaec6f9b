using System;
using System.Collections.Generic;
using System.Text;

namespace Strait
{
    /// <summary>A field of a type that a region describes: a number, or an array of numbers.</summary>
    public sealed class DescribedField
    {
        internal DescribedField(string path, string scalar, int offset, int count)
        {
            Path = path;
            Scalar = scalar;
            Offset = offset;
            Count = count;
        }

        /// <summary>
        /// Its name, behind those of the structs around it, with dots between them; elements of arrays of structs have their
        /// index, as in <c>path[2].x</c>. Empty of a type that is a number itself.
        /// </summary>
        public string Path { get; }
        /// <summary><c>u8</c> to <c>u64</c>, <c>i8</c> to <c>i64</c>, <c>f32</c> or <c>f64</c>.</summary>
        public string Scalar { get; }
        /// <summary>Where it is in the value, in bytes.</summary>
        public int Offset { get; }
        /// <summary>How many elements an array has; 0 of a single number.</summary>
        public int Count { get; }
        /// <summary>The unit of its value; null if that is not said.</summary>
        public string Unit { get; internal set; }
        /// <summary>A line of help; null if there is none.</summary>
        public string Help { get; internal set; }
        /// <summary>The names of its values, if those have names.</summary>
        public IReadOnlyDictionary<long, string> Names => names;

        internal readonly Dictionary<long, string> names = new Dictionary<long, string>();

        internal object In(byte[] value)
        {
            if (Count == 0)
            {
                return One(value, Offset);
            }
            Array all = Array.CreateInstance(One(value, Offset).GetType(), Count);
            for (int index = 0; index < Count; index++)
            {
                all.SetValue(One(value, Offset + index * Descriptor.SizeOf(Scalar)), index);
            }
            return all;
        }

        private object One(byte[] value, int at)
        {
            switch (Scalar)
            {
                case "u8": return value[at];
                case "u16": return BitConverter.ToUInt16(value, at);
                case "u32": return BitConverter.ToUInt32(value, at);
                case "u64": return BitConverter.ToUInt64(value, at);
                case "i8": return unchecked((sbyte)value[at]);
                case "i16": return BitConverter.ToInt16(value, at);
                case "i32": return BitConverter.ToInt32(value, at);
                case "i64": return BitConverter.ToInt64(value, at);
                case "f32": return BitConverter.ToSingle(value, at);
                default: return BitConverter.ToDouble(value, at);
            }
        }
    }

    /// <summary>The type of a channel's values, as the region itself describes it.</summary>
    public sealed class DescribedType
    {
        private readonly Dictionary<string, DescribedField> byPath = new Dictionary<string, DescribedField>();

        internal DescribedType(string name, string text, ulong hash, Descriptor parsed)
        {
            Name = name;
            Text = text;
            Hash = hash;
            Size = parsed.Size;
            Fields = parsed.Fields;
            foreach (DescribedField field in parsed.Fields)
            {
                byPath[field.Path] = field;
            }
        }

        /// <summary>Its name; empty if it has none.</summary>
        public string Name { get; }
        /// <summary>The descriptor, as of <see cref="Shape.Text"/>.</summary>
        public string Text { get; }
        /// <summary>The hash of the descriptor.</summary>
        public ulong Hash { get; }
        /// <summary>Bytes of a value.</summary>
        public int Size { get; }
        /// <summary>The fields, in their order.</summary>
        public IReadOnlyList<DescribedField> Fields { get; }

        /// <summary>A field by its path.</summary>
        public DescribedField this[string path] => byPath.TryGetValue(path, out DescribedField field)
            ? field
            : throw new KeyNotFoundException("there is no field `" + path + "` in " + Text);
    }

    /// <summary>A value of a type that a region describes: its fields by their paths.</summary>
    public sealed class DescribedValue
    {
        internal DescribedValue(DescribedType type, byte[] bytes)
        {
            Type = type;
            Bytes = bytes;
        }

        /// <summary>Its type.</summary>
        public DescribedType Type { get; }
        /// <summary>Its bytes.</summary>
        public byte[] Bytes { get; }
        /// <summary>A field: a number as .NET has it, or an array of numbers.</summary>
        public object this[string path] => Type[path].In(Bytes);
    }

    public sealed partial class Region
    {
        /// <summary>The text in which the region describes its types; empty if it does not.</summary>
        public string Description
        {
            get
            {
                UIntPtr length = UIntPtr.Zero;
                StraitStatus status = Native.strait_description(Handle, null, UIntPtr.Zero, ref length);
                var text = new byte[(int)length + 1];
                if (status == StraitStatus.TooSmall)
                {
                    status = Native.strait_description(Handle, text, (UIntPtr)text.Length, ref length);
                }
                Check(status);
                return Encoding.UTF8.GetString(text, 0, text.Length - 1);
            }
        }

        /// <summary>
        /// The type of a channel's values, as the region describes it; a number needs no description.
        /// <see cref="StraitStatus.NotFound"/> if there is no such channel, <see cref="StraitStatus.Type"/> if
        /// it is not described, or if its description does not add up.
        /// </summary>
        public DescribedType TypeOf(string channel)
        {
            foreach (ChannelInfo info in Channels)
            {
                if (info.Name == channel)
                {
                    return Descriptor.Find(info, Description)
                        ?? throw new StraitException(StraitStatus.Type, "the region does not describe the type of `" + channel + "`; declare the type, or create the region with a plan that describes its types");
                }
            }
            throw StraitException.Of(StraitStatus.NotFound, "the channel `" + channel + "`");
        }

        /// <summary>Claims the consumer's role of a queue of values whose type the region describes.</summary>
        public DescribedConsumer OpenDescribedConsumer(string name, ConsumerOptions options = null) =>
            new DescribedConsumer(this, name, TypeOf(name), options);

        /// <summary>Opens a reader of a latest value whose type the region describes.</summary>
        public DescribedReader OpenDescribedReader(string name) => new DescribedReader(this, name, TypeOf(name));
    }
}
