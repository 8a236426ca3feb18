# What has to be true before long mode: all of the image is in memory, and the CPU is one that this kernel can run on.

    .section .head.text, "ax", @progbits
    .code32

    .set CPUID_1_EDX_MSR, 5
    .set CPUID_1_EDX_PAE, 6
    .set CPUID_1_EDX_CX8, 8
    .set CPUID_1_EDX_PGE, 13
    .set CPUID_1_EDX_CMOV, 15
    .set CPUID_1_EDX_FXSR, 24
    .set CPUID_1_EDX_SSE, 25
    .set CPUID_1_EDX_SSE2, 26
    .set REQUIRED_EDX, (1 << CPUID_1_EDX_MSR) | (1 << CPUID_1_EDX_PAE) | (1 << CPUID_1_EDX_CX8) | (1 << CPUID_1_EDX_PGE)
    .set REQUIRED_EDX, REQUIRED_EDX | (1 << CPUID_1_EDX_CMOV) | (1 << CPUID_1_EDX_FXSR) | (1 << CPUID_1_EDX_SSE) | (1 << CPUID_1_EDX_SSE2)
    .set EXTENDED_EDX_NX, 20
    .set EXTENDED_EDX_LM, 29
    .set EFLAGS_AC, 18
    .set EFLAGS_ID, 21
    .set MSR_IA32_MISC_ENABLE, 0x1a0
    .set XD_DISABLE, 34

verify_image:
    check_image .Lcut_short .Lcomplete
    ret
.Lcut_short:
    movl    $cut_short - KERNEL_MAP, %esi
    jmp     head_stop

# Clobbers eax, ebx, ecx, edx.
verify_cpu:
    pushfl
    popl    %ecx
    movl    %ecx, %eax
    xorl    $(1 << EFLAGS_ID) | (1 << EFLAGS_AC), %eax
    pushl   %eax
    popfl
    pushfl
    popl    %eax
    pushl   %ecx
    popfl
    xorl    %ecx, %eax                      # the flags that could be changed
    btl     $EFLAGS_ID, %eax
    jc      .Lhas_cpuid
    shrl    $EFLAGS_AC, %eax
    andl    $1, %eax                        # a 386 has no AC flag, a 486 has
    addl    $3, %eax
    jmp     .Lnot_x86_64

.Lhas_cpuid:
    movl    $0x80000000, %eax
    cpuid
    cmpl    $0x80000001, %eax
    jb      .Lno_long_mode
    movl    $0x80000001, %eax
    cpuid
    btl     $EXTENDED_EDX_LM, %edx
    jnc     .Lno_long_mode
    btl     $EXTENDED_EDX_NX, %edx
    jnc     .Lno_nx
.Lhas_nx:
    movl    $1, %eax
    cpuid
    notl    %edx
    andl    $REQUIRED_EDX, %edx
    jnz     .Lmissing_features
    ret

# Firmware can hide NX on an Intel CPU; what it hid, we may uncover.
.Lno_nx:
    xorl    %eax, %eax
    cpuid
    cmpl    $0x756e6547, %ebx               # "Genu"
    jne     .Lnx_missing
    cmpl    $0x49656e69, %edx               # "ineI"
    jne     .Lnx_missing
    movl    $1, %eax
    cpuid
    shrl    $8, %eax
    andl    $0xf, %eax
    cmpl    $6, %eax                        # older families lack the register
    jb      .Lnx_missing
    movl    $MSR_IA32_MISC_ENABLE, %ecx
    rdmsr
    btrl    $XD_DISABLE - 32, %edx
    jnc     .Lnx_missing
    wrmsr
    movl    $0x80000001, %eax
    cpuid
    btl     $EXTENDED_EDX_NX, %edx
    jc      .Lhas_nx
.Lnx_missing:
    movl    $nx_missing - KERNEL_MAP, %esi
    jmp     head_stop

.Lno_long_mode:
    movl    $1, %eax
    cpuid
    shrl    $8, %eax
    andl    $0xf, %eax
    cmpl    $6, %eax                        # every later family counts as i686
    jbe     .Lnot_x86_64
    movl    $6, %eax
.Lnot_x86_64:
    addb    $'0', %al
    movb    %al, detected_family - KERNEL_MAP
    movl    $not_x86_64 - KERNEL_MAP, %esi
    jmp     head_stop

.Lmissing_features:
    movl    %edx, %ebp
    call    head_open
    movl    $features_missing - KERNEL_MAP, %esi
    call    head_puts
    movl    $feature_names - KERNEL_MAP, %esi
.Lnext_feature:
    movzbl  (%esi), %eax
    incl    %esi
    testl   %eax, %eax
    jz      .Lend_of_features
    btl     %eax, %ebp
    jc      .Lname_feature
.Lskip_name:
    lodsb
    testb   %al, %al
    jnz     .Lskip_name
    jmp     .Lnext_feature
.Lname_feature:
    call    head_puts
    jmp     .Lnext_feature
.Lend_of_features:
    movl    $line_end - KERNEL_MAP, %esi
    call    head_puts
    jmp     head_halt

# Writes the text at esi and halts for good.
head_stop:
    movl    $init_stack_end - KERNEL_MAP, %esp
    movl    $KERNEL_DS, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    call    head_open
    call    head_puts
head_halt:
    cli
    hlt
    jmp     head_halt

    console32 head

cut_short:
    .asciz  "The kernel image is cut short: load all of it.\r\n"
nx_missing:
    .asciz  "This kernel requires the NX (execute disable) feature, which this CPU does not have.\r\n"
not_x86_64:
    .ascii  "This kernel requires an x86-64 CPU, but only detected an i"
detected_family:
    .asciz  "686 CPU.\r\n"
features_missing:
    .asciz  "This kernel requires the following features not present on the CPU:"
line_end:
    .asciz  "\r\n"
feature_names:
    .byte   CPUID_1_EDX_MSR
    .asciz  " msr"
    .byte   CPUID_1_EDX_PAE
    .asciz  " pae"
    .byte   CPUID_1_EDX_CX8
    .asciz  " cx8"
    .byte   CPUID_1_EDX_PGE
    .asciz  " pge"
    .byte   CPUID_1_EDX_CMOV
    .asciz  " cmov"
    .byte   CPUID_1_EDX_FXSR
    .asciz  " fxsr"
    .byte   CPUID_1_EDX_SSE
    .asciz  " sse"
    .byte   CPUID_1_EDX_SSE2
    .asciz  " sse2"
    .byte   0
