using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Strait
{
    /// <summary>
    /// The name of a field in other languages, where that is not the field's own with underscores
    /// (<c>TimeNs</c> is <c>time_ns</c>).
    /// </summary>
    [AttributeUsage(AttributeTargets.Field)]
    public sealed class SharedNameAttribute : Attribute
    {
        /// <summary>The name as Rust has it.</summary>
        public SharedNameAttribute(string name)
        {
            Name = name;
        }

        /// <summary>The name.</summary>
        public string Name { get; }
    }

    /// <summary>
    /// A type as all languages describe it (FORMAT.md, type descriptors): the same text, hash and size as Rust's
    /// <c>message!</c> gives the same fields.
    /// </summary>
    public sealed class Shape
    {
        private static readonly Dictionary<Type, string> Scalars = new Dictionary<Type, string>
        {
            { typeof(byte), "u8" }, { typeof(ushort), "u16" }, { typeof(uint), "u32" }, { typeof(ulong), "u64" },
            { typeof(sbyte), "i8" }, { typeof(short), "i16" }, { typeof(int), "i32" }, { typeof(long), "i64" },
            { typeof(float), "f32" }, { typeof(double), "f64" },
        };

        private Shape(string name, string text, int size, int align)
        {
            Name = name;
            Text = text;
            Size = size;
            Align = align;
        }

        /// <summary>The struct's name; empty of a number.</summary>
        public string Name { get; }

        /// <summary>The descriptor.</summary>
        public string Text { get; }

        /// <summary>Bytes of a value.</summary>
        public int Size { get; }

        /// <summary>The hash of the descriptor, as a region's directory stores it.</summary>
        public ulong Hash => Native.strait_type_hash(Bytes.Text(Text, nameof(Text)));

        private int Align { get; }

        /// <summary>The shape of a type.</summary>
        /// <exception cref="StraitException">
        /// The type cannot be shared: it has padding, or a field that is no number, struct or fixed buffer of numbers.
        /// The message says which.
        /// </exception>
        public static Shape Of<T>() where T : unmanaged
        {
            Shape shape = Cache<T>.Shape;
            if (shape == null)
            {
                throw new StraitException(StraitStatus.Type, Cache<T>.Error);
            }
            return shape;
        }

        private static class Cache<T>
        {
            internal static readonly Shape Shape;
            internal static readonly string Error;

            static Cache()
            {
                try
                {
                    Shape = OfType(typeof(T));
                }
                catch (StraitException error)
                {
                    Error = error.Message;
                }
            }
        }

        private static Shape OfType(Type type)
        {
            if (type.IsEnum)
            {
                type = Enum.GetUnderlyingType(type);
            }
            if (Scalars.TryGetValue(type, out string scalar))
            {
                int size = Marshal.SizeOf(type);
                return new Shape("", scalar, size, size);
            }
            if (type.IsPrimitive || !type.IsValueType)
            {
                throw Unfit(type + " cannot be shared; use integers, float and double, structs and fixed buffers of them");
            }
            return OfStruct(type);
        }

        private static Shape OfStruct(Type type)
        {
            if (!type.IsLayoutSequential || type.IsGenericType)
            {
                throw Unfit(type + " is generic or not of sequential layout; use a plain struct");
            }
            FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
            Array.Sort(fields, (one, other) => one.MetadataToken.CompareTo(other.MetadataToken));
            if (fields.Length == 0)
            {
                throw Unfit(type + " has no fields; give it one at least");
            }
            var text = new StringBuilder("{");
            int end = 0;
            int align = 1;
            foreach (FieldInfo field in fields)
            {
                Shape of = OfField(type, field);
                int offset = (int)Marshal.OffsetOf(type, field.Name);
                if (offset != end || offset % of.Align != 0)
                {
                    throw Unfit(type + " has padding before " + field.Name + ", or is packed; make the gap a field");
                }
                text.Append(NameOf(type, field)).Append(':').Append(of.Text).Append('@').Append(offset).Append(';');
                end += of.Size;
                align = Math.Max(align, of.Align);
            }
            if (end % align != 0 || Marshal.SizeOf(type) != end)
            {
                throw Unfit(type + " has padding at its end; make it a field");
            }
            return new Shape(type.Name, text.Append("size=").Append(end).Append('}').ToString(), end, align);
        }

        private static Shape OfField(Type type, FieldInfo field)
        {
            var buffer = field.GetCustomAttribute<FixedBufferAttribute>();
            if (buffer == null)
            {
                return OfType(field.FieldType);
            }
            if (!Scalars.ContainsKey(buffer.ElementType))
            {
                throw Unfit(type + "." + field.Name + " is a buffer of " + buffer.ElementType + "; use numbers");
            }
            Shape element = OfType(buffer.ElementType);
            return new Shape("", "[" + buffer.Length + "]" + element.Text, buffer.Length * element.Size, element.Align);
        }

        private static string NameOf(Type type, FieldInfo field)
        {
            string name = field.GetCustomAttribute<SharedNameAttribute>()?.Name ?? WithUnderscores(field.Name);
            foreach (char letter in name)
            {
                bool fits = letter == '_' || (letter < 128 && char.IsLetterOrDigit(letter));
                if (!fits)
                {
                    throw Unfit(type + "." + field.Name + " is no name for all languages; add a field with [SharedName]");
                }
            }
            return name;
        }

        /// <summary><c>TimeNs</c> as <c>time_ns</c>.</summary>
        private static string WithUnderscores(string name)
        {
            var text = new StringBuilder();
            for (int at = 0; at < name.Length; at++)
            {
                bool starts = char.IsUpper(name[at]) && at > 0 && name[at - 1] != '_' && !char.IsUpper(name[at - 1]);
                if (starts)
                {
                    text.Append('_');
                }
                text.Append(char.ToLowerInvariant(name[at]));
            }
            return text.ToString();
        }

        private static StraitException Unfit(string why) => new StraitException(StraitStatus.Type, why);
    }
}
